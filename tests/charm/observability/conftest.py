"""The real statsd_exporter with the rock's mapping, and the real Prometheus where the machine has it."""

import contextlib
import json
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nuages.build.rock_layer import STATSD_MAPPING
from nuages.engine.programs import ProgramError, ensure

LINES = (
    "gunicorn.request.duration:12.5|ms",
    "gunicorn.requests:1|c|@1.0",
    "gunicorn.request.status.200:1|c|@1.0",
    "gunicorn.request.status.503:1|c|@1.0",
    "gunicorn.workers:3|g",
    "gunicorn.log.error:1|c|@1.0",
    "gunicorn.log.critical:1|c|@1.0",
    "gunicorn.log.exception:1|c|@1.0",
    "gunicorn.log.warning:1|c|@1.0",
)
"""As gunicorn's `instrument/statsd.py` sends them."""


def program(name: str) -> str:
    """Return the path of one of Prometheus's programs; skips the test on a machine that has no packages of it."""
    try:
        return str(ensure("prometheus")["prometheus"].with_name(name))
    except ProgramError as error:
        if error.code != "absent":
            raise
        pytest.skip(str(error))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def eventually(what: str, holds: Callable[[], Any], seconds: float = 30) -> Any:
    """Return what `holds` returns as soon as that is something."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            if found := holds():
                return found
        if time.monotonic() > end:
            pytest.fail(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


class Exporter:
    """A running statsd_exporter."""

    def __init__(self, port: int, statsd: int) -> None:
        self.port = port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", statsd))

    def send(self) -> None:
        """Report one request, as gunicorn does, and one of everything else."""
        for line in LINES:
            self._socket.send(line.encode())

    def metrics(self) -> str:
        return fetch(f"http://127.0.0.1:{self.port}/metrics")


@contextlib.contextmanager
def running(command: list[str], directory: Path) -> Iterator[None]:
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    directory = tmp_path_factory.mktemp("exporter")
    mapping = directory / "mapping.conf"
    mapping.write_text(STATSD_MAPPING)
    port, statsd = free_port(), free_port()
    path = ensure("statsd_exporter")["statsd_exporter"]
    command = [str(path), f"--statsd.mapping-config={mapping}", f"--web.listen-address=127.0.0.1:{port}"]
    command += [f"--statsd.listen-udp=127.0.0.1:{statsd}", f"--statsd.listen-tcp=127.0.0.1:{statsd}"]
    with running(command, directory):
        found = Exporter(port, statsd)

        def counted() -> bool:
            found.send()
            return "django_requests" in found.metrics() and "gunicorn_log_critical" in found.metrics()

        eventually("the exporter counts", counted)
        yield found


LABELS = {
    "juju_model": "mymodel",
    "juju_model_uuid": "4d2a3c8e-0f4c-4b9e-8b1a-3f5f6d7e8c9a",
    "juju_application": "myapp",
    "juju_unit": "myapp/0",
}


class Prometheus:
    """A running Prometheus that scrapes the exporter, labelled as its charm labels it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def query(self, expression: str) -> list[Any]:
        """Return an expression's result now; an expression that is wrong fails the test."""
        query = urllib.parse.urlencode({"query": expression})
        try:
            answer = json.loads(fetch(f"{self.url}/api/v1/query?{query}"))
        except urllib.error.HTTPError as error:
            pytest.fail(f"{expression}: {error.read().decode()}")
        assert answer["status"] == "success"
        return answer["data"]["result"]


@pytest.fixture(scope="session")
def prometheus(exporter: Exporter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    path = program("prometheus")
    directory = tmp_path_factory.mktemp("prometheus")
    job = {
        "job_name": "django",
        "static_configs": [{"targets": [f"127.0.0.1:{exporter.port}"], "labels": LABELS}],
    }
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}
    (directory / "prometheus.yml").write_text(json.dumps(config))
    port = free_port()
    command = [path, "--config.file=prometheus.yml", f"--web.listen-address=127.0.0.1:{port}"]
    with running([*command, f"--storage.tsdb.path={directory / 'data'}"], directory):
        found = Prometheus(port)

        def scraped() -> list[Any]:
            exporter.send()
            return found.query("rate(django_requests[1m]) > 0")

        eventually("Prometheus is ready", lambda: fetch(f"{found.url}/-/ready"))
        eventually("Prometheus has scraped twice", scraped)
        yield found
