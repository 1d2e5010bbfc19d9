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
NEWEST = "27.0.1"
APPLICATION = """\
import json, os, time
time.sleep(0.3)  # what Django takes; gunicorn ends the old workers right after it has made the new ones
if os.environ.get("DJANGO_GREETING") == "crash":
    raise RuntimeError("told to crash")
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(dict(os.environ)).encode()]
async def asynchronous(scope, receive, send):
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(dict(os.environ)).encode()})
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


def installed(version: str) -> Path:
    """Return a directory with gunicorn in it, installed once for a machine."""
    target = cache_dir() / "tests" / f"gunicorn-{version}"
    if not (target / "gunicorn").is_dir():
        command = [sys.executable, "-m", "uv", "pip", "install", "-q", "--target", str(target), f"gunicorn=={version}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        if done.returncode != 0:
            pytest.skip(f"cannot install gunicorn: {done.stderr.strip()[-300:]}")
    return target


@pytest.fixture(scope="session")
def packages() -> Path:
    return installed(VERSION)


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
        self.webserver: dict[str, int] = {"workers": 2}
        self.features: dict[str, bool] = {"statsd": False}
        self.words = ["web:application", "-k", "sync"]
        self.output = directory / "output"

    def write(self, environment: Mapping[str, str], name: str = "gunicorn.conf.py") -> Path:
        made = gunicorn.config(environment, self.base, self.webserver, **self.features)
        text = made.text.replace("0.0.0.0:8000", f"127.0.0.1:{self.port}")
        text = text.replace(gunicorn.RUN_DIRECTORY, str(self.directory)).replace("/django/app", str(self.directory))
        self.marker = Path(made.marker.replace(gunicorn.RUN_DIRECTORY, str(self.directory)))
        path = self.directory / name
        path.write_text(text)
        return path

    def start(self, environment: Mapping[str, str]) -> None:
        path = self.write(environment)
        command = [sys.executable, "-m", "gunicorn", "-c", str(path), *self.words]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                env={**self.base, **environment, "PYTHONDONTWRITEBYTECODE": "1"},
                cwd=self.directory,
                stdout=output,
                stderr=subprocess.STDOUT,
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
            connection.request("GET", "/a?b=c", headers={"X-Request-Id": "r1"})
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


@pytest.fixture(params=["sync", "gthread", "asgi"])
def each_server(request: pytest.FixtureRequest, tmp_path: Path, packages: Path) -> Iterator[Server]:
    worker: str = request.param
    made = Server(tmp_path, packages if worker == "sync" else installed(NEWEST), {})
    made.words = ["web:asynchronous" if worker == "asgi" else "web:application", "-k", worker]
    yield made
    made.stop()


def test_no_request_fails_while_values_of_equal_length_follow_each_other(each_server: Server) -> None:
    server = each_server
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
            until(lambda value=str(number): server.get()["N"] == value, 5)  # asgi's old workers take a second to leave
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


def test_threads_make_sync_workers_threaded(server: Server) -> None:
    server.webserver = {"threads": 4}
    server.start({})
    assert "Using worker: gthread" in server.output.read_text()


@pytest.mark.parametrize("version", [VERSION, NEWEST])
@pytest.mark.parametrize("statsd", [True, False])
def test_logs_as_json(tmp_path: Path, version: str, statsd: bool) -> None:
    server = Server(tmp_path, installed(version), {})
    server.features = {"statsd": statsd, "json_logs": True}
    try:
        server.start({})
        server.get()
        server.reload({"A": "new"})
        server.get()
        until(lambda: server.output.read_text().count('"path": "/a"') == 2)
    finally:
        server.stop()
    entries = [json.loads(line) for line in server.output.read_text().splitlines()]
    assert {entry["logger"] for entry in entries} == {"gunicorn.error", "gunicorn.access"}
    access = next(entry for entry in entries if entry["logger"] == "gunicorn.access")
    assert {name: access[name] for name in ("method", "path", "query", "status", "request_id")} == {
        "method": "GET",
        "path": "/a",
        "query": "b=c",
        "status": "200",
        "request_id": "r1",
    }
    assert float(access["seconds"]) >= 0
    assert access["message"].startswith("127.0.0.1 - - [")


RECORDER = """\
import os
class TracerProvider:
    def add_span_processor(self, processor): os.environ["SPANS_TO"] = processor.exporter
class BatchSpanProcessor:
    def __init__(self, exporter): self.exporter = exporter
def OTLPSpanExporter(): return os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
def set_tracer_provider(provider): pass
"""


def test_spans_go_where_the_environment_says(tmp_path: Path, packages: Path) -> None:
    for name in ("trace", "sdk/trace", "sdk/trace/export", "exporter/otlp/proto/http/trace_exporter"):
        folder = tmp_path / "opentelemetry" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").write_text(RECORDER)
    server = Server(tmp_path, packages, {})
    server.features = {"statsd": False, "tracing": True}
    try:
        server.start({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://tempo:4318"})
        assert server.get()["SPANS_TO"] == "http://tempo:4318"
    finally:
        server.stop()


def test_what_gunicorn_decides_itself_is_left_to_it() -> None:
    text = gunicorn.config({}, {}, {}, statsd=True).text
    assert "control_socket_disable = True" in text.splitlines()
    for name in ("forwarded_allow_ips", "preload_app", "worker_class", "raw_env"):
        assert name not in text
