"""A real browser: Debian's Chromium without a window, driven by its DevTools protocol."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import websocket

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


class Chromium:
    """One tab of a browser with a profile of its own.

    Elements are named by CSS selectors. Whatever is looked for is waited for: pages load and scripts run when they do.
    """

    def __init__(self, program: str, profile: Path) -> None:
        self._profile = profile
        self._log = (profile / "chromium.log").open("wb")
        argv = [program, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}"]
        argv += ["--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
        argv += ["--disable-component-update", "--disable-extensions", "--no-proxy-server", "--window-size=1000,760"]
        if os.geteuid() == 0:
            argv.append("--no-sandbox")  # it refuses to run as root with one
        self.process = subprocess.Popen(
            [*argv, "about:blank"], stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )
        self._number = 0
        self._socket = self._connect()
        self._send("Page.enable")

    def goto(self, url: str) -> None:
        """Open a page."""
        failed = self._send("Page.navigate", url=url).get("errorText")
        assert not failed, f"{url}: {failed}"
        self.loaded()

    def loaded(self) -> None:
        """Wait until the page is there whole."""
        self._until("document.readyState === 'complete' && location.href !== 'about:blank'", "the page is loaded")

    @property
    def url(self) -> str:
        return str(self.run("location.href"))

    @property
    def page(self) -> str:
        """The text of the page, as a person sees it."""
        return str(self.run("document.body.innerText"))

    def text(self, selector: str) -> str:
        """Return the text of an element."""
        self._until(_exists(selector), f"there is {selector}")
        return str(self.run(f"document.querySelector({json.dumps(selector)}).innerText"))

    def fill(self, selector: str, text: str) -> None:
        """Type into a field, by keys as a person does."""
        self._until(_exists(selector), f"there is {selector}")
        self.run(f"document.querySelector({json.dumps(selector)}).select()")
        self._send("Input.insertText", text=text)

    def choose(self, selector: str, path: Path) -> None:
        """Choose a file for a form's field."""
        self._until(_exists(selector), f"there is {selector}")
        root = self._send("DOM.getDocument")["root"]["nodeId"]
        node = self._send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self._send("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def click(self, selector: str) -> None:
        """Press a button or follow a link with the mouse."""
        self._until(_exists(selector), f"there is {selector}")
        box = self.run(
            f"(e => {{ e.scrollIntoView({{block: 'center'}}); const b = e.getBoundingClientRect(); "
            f"return [b.x + b.width / 2, b.y + b.height / 2] }})(document.querySelector({json.dumps(selector)}))"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self._send("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def until_url(self, start: str) -> None:
        """Wait for a page whose URL begins so."""
        self._until(f"location.href.startsWith({json.dumps(start)})", f"the URL begins with {start}")
        self.loaded()

    def until_text(self, text: str) -> None:
        """Wait until the page says so."""
        self._until(f"document.body.innerText.includes({json.dumps(text)})", f"the page says {text!r}")

    def screenshot(self, path: Path) -> None:
        """Write what a person would see as a PNG."""
        path.write_bytes(b64decode(self._send("Page.captureScreenshot", format="png")["data"]))

    def forget(self) -> None:
        """Be a person who was never here: no cookies."""
        self._send("Network.clearBrowserCookies")

    def run(self, script: str) -> Any:
        """Return what JavaScript says."""
        answer = self._send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, f"{script}: {answer['exceptionDetails']}"
        return answer["result"].get("value")

    def close(self) -> None:
        """End the browser and wait until it is gone."""
        self._socket.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log.close()

    def _until(self, script: str, what: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                if self.run(script):
                    return
            except AssertionError:
                pass  # the page is just being replaced by the next one
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds:.0f} s in vain: {what}; at {self.url}:\n{self.page[:1500]}")
            time.sleep(0.05)

    def _connect(self) -> websocket.WebSocket:
        port = self._profile / "DevToolsActivePort"
        deadline = time.monotonic() + 60
        while not (port.exists() and len(port.read_text().splitlines()) == 2):
            assert self.process.poll() is None, (self._profile / "chromium.log").read_text()[-2000:]
            assert time.monotonic() < deadline, "Chromium does not say where it listens"
            time.sleep(0.05)
        number, path = port.read_text().splitlines()
        browser = websocket.create_connection(f"ws://127.0.0.1:{number}{path}", timeout=60, suppress_origin=True)
        self._socket = browser
        targets = self._send("Target.getTargets")["targetInfos"]
        tab = next(each["targetId"] for each in targets if each["type"] == "page")
        browser.close()
        return websocket.create_connection(
            f"ws://127.0.0.1:{number}/devtools/page/{tab}", timeout=60, suppress_origin=True
        )

    def _send(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]


def _exists(selector: str) -> str:
    return f"document.readyState === 'complete' && document.querySelector({json.dumps(selector)}) !== null"


@contextmanager
def chromium() -> Iterator[Chromium]:
    """A browser for as long as it is needed; without one on this machine, the test is skipped with the reason."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        pytest.skip("there is no Chromium here: apt install chromium")
    profile = Path(tempfile.mkdtemp(prefix="nu-chromium-"))
    try:
        browser = Chromium(program, profile)
        try:
            yield browser
        finally:
            browser.close()
    finally:
        shutil.rmtree(profile, ignore_errors=True)
