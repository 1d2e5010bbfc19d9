"""The configuration file: as text, and read by a real gunicorn that reloads under requests."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from nuages.charm import gunicorn, inside
from nuages.engine.programs import cache_dir
from tests.charm.conftest import COMMAND

VERSION = "23.0.0"
APPLICATION = """\
import json, os, time
time.sleep(0.3)  # what Django takes; gunicorn ends the old workers right after it has made the new ones
if os.environ.get("DJANGO_GREETING") == "crash":
    raise RuntimeError("told to crash")
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(dict(os.environ)).encode()]
"""


def test_application_in_the_command() -> None:
    assert gunicorn.application(COMMAND) == "notes.wsgi:application"
    assert gunicorn.application("gunicorn -b 0.0.0.0 -c 'x") == ""


def test_settings_and_grace() -> None:
    text = gunicorn.config({}, {}, {"workers": 3, "timeout": 90}, statsd=True).text
    for line in ("workers = 3", "timeout = 90", "graceful_timeout = 90", "statsd_host = 'localhost:9125'"):
        assert line in text.splitlines()
    assert gunicorn.kill_delay({"timeout": 90}) == "95s"
    assert gunicorn.kill_delay({}) == "35s"


def test_each_configuration_has_a_marker_of_its_own() -> None:
    one, other = (gunicorn.config({"A": value}, {}, {}, statsd=False) for value in "12")
    assert one.marker != other.marker
    assert gunicorn.marker_of(one.text) == one.marker


@pytest.fixture(scope="session")
def packages() -> Path:
    """Return a directory with gunicorn in it, installed once for a machine."""
    target = cache_dir() / "tests" / f"gunicorn-{VERSION}"
    if not (target / "gunicorn").is_dir():
        command = [sys.executable, "-m", "uv", "pip", "install", "-q", "--target", str(target), f"gunicorn=={VERSION}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        if done.returncode != 0:
            pytest.skip(f"cannot install gunicorn: {done.stderr.strip()[-300:]}")
    return target


class Server:
    """A gunicorn that reads what the charm writes, its paths moved to a test's directory."""

    def __init__(self, directory: Path, packages: Path, container: Mapping[str, str]) -> None:
        self.directory, self.container = directory, dict(container)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        (directory / "site.py").unlink(missing_ok=True)
        (directory / "web.py").write_text(APPLICATION)
        self.base = {**container, "PYTHONPATH": str(packages), "PATH": os.environ["PATH"]}
        self.process: subprocess.Popen[bytes] | None = None

    def write(self, environment: Mapping[str, str], name: str = "gunicorn.conf.py", workers: int = 2) -> Path:
        made = gunicorn.config(environment, self.base, {"workers": workers}, statsd=False)
        text = made.text.replace("0.0.0.0:8000", f"127.0.0.1:{self.port}")
        text = text.replace(gunicorn.RUN_DIRECTORY, str(self.directory)).replace("/django/app", str(self.directory))
        self.marker = Path(made.marker.replace(gunicorn.RUN_DIRECTORY, str(self.directory)))
        path = self.directory / name
        path.write_text(text)
        return path

    def start(self, environment: Mapping[str, str]) -> None:
        path = self.write(environment)
        command = [sys.executable, "-m", "gunicorn", "-c", str(path), "web:application", "-k", "sync"]
        self.process = subprocess.Popen(
            command,
            env={**self.base, **environment, "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self.marker.exists)

    def reload(self, environment: Mapping[str, str]) -> None:
        assert self.process is not None
        self.write(environment)
        for path in (self.marker, Path(f"{self.marker}.part")):
            path.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGHUP)
        until(self.marker.exists)

    def get(self) -> dict[str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", "/")
            return json.loads(connection.getresponse().read())

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)


def until(condition: Callable[[], bool], deadline: float = 30) -> None:
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def server(tmp_path: Path, packages: Path) -> Iterator[Server]:
    made = Server(tmp_path, packages, {"FROM_POD": "pod", "HOME": "/home/x"})
    yield made
    made.stop()


ODD = {"A": "  blank\nline\t'\"\\ é☁ ", "EMPTY": "", "GONE": "soon", "FROM_POD": "ours"}


def test_environment_is_exactly_what_the_charm_says(server: Server) -> None:
    server.start(ODD)
    found = server.get()
    assert {name: found[name] for name in ODD} == ODD
    assert found["HOME"] == "/home/x"
    assert "PYTHONDONTWRITEBYTECODE" not in found
    server.reload({"A": "new"})
    found = server.get()
    assert found["A"] == "new"
    assert not {"EMPTY", "GONE"} & set(found)
    assert found["FROM_POD"] == "pod"


def test_no_request_fails_while_values_of_equal_length_follow_each_other(server: Server) -> None:
    server.start({"N": "0"})
    failed: list[str] = []
    count = 0
    stop = threading.Event()

    def ask() -> None:
        nonlocal count
        while not stop.is_set():
            try:
                server.get()
                count += 1
            except (OSError, http.client.HTTPException, ValueError) as error:
                failed.append(repr(error))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for number in range(1, 6):
            server.reload({"N": str(number)})
            assert server.get()["N"] == str(number)
    finally:
        stop.set()
        thread.join()
    assert failed == []
    assert count > 5


def load(server: Server, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    path = server.write(environment, "gunicorn.conf.next.py")
    arguments = [sys.executable, "-", str(path), str(server.directory), "web:application"]
    return subprocess.run(
        arguments, input=inside.text("load"), env=server.base, capture_output=True, text=True, timeout=60, check=False
    )


def test_application_is_loaded_with_the_configuration_before_it_counts(server: Server) -> None:
    assert load(server, {"DJANGO_GREETING": "fine"}).returncode == 0
    refused = load(server, {"DJANGO_GREETING": "crash"})
    assert refused.returncode != 0
    assert refused.stderr.strip().endswith("RuntimeError: told to crash")
