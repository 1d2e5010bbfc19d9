"""What the end-to-end tests do as a user does it: type commands, open pages, kill processes."""

from __future__ import annotations

import http.cookiejar
import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

EXAMPLE = Path(__file__).parents[2] / "examples" / "notes"
T = TypeVar("T")


def eventually(what: str, probe: Callable[[], T | None], *, seconds: float) -> T:
    """Return the first truthy answer of `probe`; fail with the last one when `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s; last answer {answer!r}")
        time.sleep(0.1)


@dataclass
class Reply:
    """One HTTP answer: the status, the text, the final URL, the headers."""

    status: int
    text: str
    url: str
    headers: Mapping[str, str]


@dataclass
class Browser:
    """Cookies and forms over plain urllib; follows redirects."""

    base: str
    jar: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)

    def get(self, path: str, *, headers: Mapping[str, str] | None = None, timeout: float = 30) -> Reply:
        return self._open(urllib.request.Request(self._url(path), headers=dict(headers or {})), timeout)

    def wrong(self, path: str, text: str = "") -> str:
        """Open a page; return it when it is not as it should be, which is with a text, else nothing."""
        reply = self.get(path)
        return "" if reply.status == 200 and text in reply.text else f"{path}: {reply.status} {reply.text[:600]}"

    def submit(self, path: str, **fields: str) -> Reply:
        """Open the form at `path` and post it with `fields` and its CSRF token."""
        page = self.get(path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, f"{path} has no CSRF token: {page.status} {page.text[:300]}"
        data = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
        return self._open(urllib.request.Request(page.url, data=data, headers={"Referer": page.url}), 30)

    def _url(self, path: str) -> str:
        return urllib.parse.urljoin(self.base, path)

    def _open(self, request: urllib.request.Request, timeout: float) -> Reply:
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.jar)
        )
        try:
            answer = opener.open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Reply(answer.status or 0, answer.read().decode(), answer.url, dict(answer.headers.items()))


@dataclass
class World:
    """One project, one state folder."""

    project: Path
    environment: Mapping[str, str]
    within: Sequence[str] = ()
    """A command that runs our command, as `unshare --net` does."""
    port: int | None = None
    """The page's; the usual one or the next free one if None."""

    def nuages(self, *arguments: str, check: bool = True, cwd: Path | None = None, timeout: float = 600):
        """Run the command as a user does; fail with everything it printed when `check` and it failed."""
        done = subprocess.run(
            [*self.within, sys.executable, "-m", "nuages.cli", *arguments],
            cwd=cwd or self.project,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
        )
        # At the start of a line it is ours; the application's own are quoted behind a mark.
        assert not any(line.startswith("Traceback ") for line in done.stderr.splitlines()), done.stderr
        if check and done.returncode:
            log = Path(self.environment["XDG_STATE_HOME"]) / "nuages" / "daemon.log"
            said = log.read_text()[-4000:] if log.exists() else ""
            raise AssertionError(
                f"nuages {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}\n{said}"
            )
        return done

    def start(self, *arguments: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
        """Start the command in a session of its own; Ctrl-C ends it also where the tests run in the background."""
        return subprocess.Popen(
            ["/usr/bin/env", "--default-signal=INT", sys.executable, "-m", "nuages.cli", *arguments],
            cwd=self.project,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )

    def up(self, *, timeout: float = 600) -> str:
        port = () if self.port is None else ("--port", str(self.port))
        return self.nuages("up", *port, timeout=timeout).stdout

    def status(self) -> dict[str, Any]:
        return json.loads(self.nuages("status", "--format", "json").stdout)

    def application(self, name: str) -> dict[str, Any]:
        return self.status()["applications"][name]

    def unit(self, name: str) -> dict[str, Any]:
        return self.application(name.split("/", maxsplit=1)[0])["units"][name]

    def workload(self, unit: str) -> tuple[str, str]:
        """The workload status of a unit: (current, message)."""
        status = self.unit(unit)["workload-status"]
        return status["current"], status.get("message", "")

    @property
    def url(self) -> str:
        return self.status()["nuages"]["url"]

    def becomes(self, unit: str, status: str, *, seconds: float = 60) -> str:
        """Wait until a unit's workload has a status; return its message."""

        def reached() -> tuple[str, str] | None:
            current, message = self.workload(unit)
            return (current, message) if current == status else None

        return eventually(f"{unit} is {status}", reached, seconds=seconds)[1]

    def variables(self) -> dict[str, str]:
        """What the project's application finds in its environment."""
        document = json.loads(self.nuages("env", self.project.name, "--reveal", "--format", "json").stdout)
        return {name: str(row["value"]) for name, row in document.items()}

    def action(self, unit: str, name: str, *parameters: str) -> dict[str, Any]:
        """Run an action; return its results."""
        document = json.loads(self.nuages("run", unit, name, *parameters, "--format", "json").stdout)
        return document[unit]["results"]

    def rotate(self, unit: str, variable: str) -> None:
        """Change a server's passwords; return when the project's application is told another value of the variable."""
        before = self.variables()[variable]
        self.nuages("run", unit, "rotate-password")
        eventually(f"another {variable}", lambda: self.variables()[variable] != before, seconds=60)

    def mails(self) -> str:
        """The URL of the page with the mails that were caught."""
        said = self.nuages("run", "smtp-integrator/0", "show-mails").stdout
        (url,) = (word for word in said.split() if word.startswith("http://localhost:"))
        return url

    def browser(self) -> Browser:
        return Browser(self.url)

    @property
    def daemon_pid(self) -> int:
        return int(json.loads(self.nuages("version", "--format", "json").stdout)["daemon"]["pid"])


def processes(world: World, container: str, program: str, unit: str = "") -> list[int]:
    """Host pids of a program in a container of this world's pods (or of one unit): told by environment and mounts."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            environment = (entry / "environ").read_bytes().decode(errors="replace").split("\0")
            mounts = (entry / "mountinfo").read_text()
        except OSError:
            continue
        named = any(Path(word).name == program for word in words[:3])
        if unit and f"HOSTNAME={unit.replace('/', '-')}" not in environment:
            continue
        if named and f"JUJU_CONTAINER_NAME={container}" in environment and world.project.parent.name in mounts:
            found.append(int(entry.name))
    return found


def in_pod(world: World, unit: str, container: str, program: str, command: str) -> list[str]:
    """Run a shell command for each process whose command line names a program (`$p` is its folder in /proc).

    Inside the container, because a server may write its title over the environment by which `processes` finds them.
    """
    pattern = f"[{program[0]}]{program[1:]}"  # in brackets, so that the script does not find itself
    line = '"$(tr "\\0" " " <$p/cmdline 2>/dev/null)"'
    script = f"for p in /proc/[0-9]*; do case {line} in *{pattern}*) {command};; esac; done"
    done = world.nuages("ssh", "--container", container, unit, "--", "sh", "-c", script)
    return [line for line in done.stdout.splitlines() if line.strip()]


def kill(world: World, unit: str, container: str, program: str) -> None:
    """Kill a program with -9, which must be there."""
    assert "killed" in in_pod(world, unit, container, program, "kill -9 ${p#/proc/} && echo killed")
