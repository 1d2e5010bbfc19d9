"""What a hook reads of Pebble over one connection is what ops reads: of a real Pebble."""

from __future__ import annotations

import http.server
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ops import pebble

from nuages.charm.pebble_reads import Reader
from nuages.engine import programs

LAYER = """
services:
  django:
    override: replace
    command: sleep 1000
    startup: enabled
    environment: {A: "1", B: "on", C: "line\\nbreak", D: "ü: #", E: ""}
  other: {override: replace, command: sleep 1000, kill-delay: 60s}
checks:
  ready: {override: replace, level: ready, period: 50ms, timeout: 40ms, exec: {command: "true"}}
  bad: {override: replace, period: 50ms, timeout: 40ms, threshold: 1, exec: {command: "false"}}
log-targets:
  loki: {override: replace, type: loki, location: "http://127.0.0.1:1", services: [django], labels: {a: b}}
"""


@pytest.fixture(scope="module")
def client() -> Iterator[pebble.Client]:
    with tempfile.TemporaryDirectory(prefix="nu-", dir="/tmp") as directory:
        home = Path(directory)
        (home / "layers").mkdir()
        (home / "layers" / "001-app.yaml").write_text(LAYER)
        process = subprocess.Popen(
            [str(programs.ensure("pebble")["pebble"]), "run"],
            env={"PEBBLE": str(home), "PEBBLE_SOCKET": str(home / "socket"), "PATH": "/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
        )
        client = pebble.Client(str(home / "socket"))
        try:
            _until(lambda: (home / "socket").exists() and _settled(client))
            yield client
        finally:
            process.terminate()
            process.wait(30)


def _settled(client: pebble.Client) -> bool:
    try:
        states = {info.name: info.current for info in client.get_services()}
        checks = {info.name: info for info in client.get_checks()}
    except pebble.Error:
        return False
    return (
        states["django"] == pebble.ServiceStatus.ACTIVE
        and bool(checks["ready"].successes)
        and checks["bad"].status == pebble.CheckStatus.DOWN
    )


def _until(true: object, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.05)


@contextmanager
def _reader(client: pebble.Client) -> Iterator[Reader]:
    reader = Reader(client.socket_path)
    try:
        yield reader
    finally:
        reader.close()


def test_same_as_ops(client: pebble.Client) -> None:
    with _reader(client) as reader:
        assert reader.plan() == client.get_plan().to_dict()
        assert reader.states() == {"django": "active", "other": "inactive"}
        assert [reader.answers(check) for check in ("ready", "bad", "absent")] == [True, False, False]


@pytest.mark.parametrize(
    "text", ["", "a", "\r\n", "--\r\n--x--\r\n", "a\r\n\r\nb\r\n", "ü€\n", "x" * 300_000, 'filename="a"\r\n\r\n']
)
def test_files_byte_for_byte(client: pebble.Client, tmp_path: Path, text: str) -> None:
    first, second = tmp_path / "one ü&;.txt", tmp_path / "two"
    first.write_bytes(text.encode())
    second.write_bytes(b"second")
    absent = str(tmp_path / "absent")
    with _reader(client) as reader:
        found = reader.files([str(first), absent, str(second)])
    assert found == {str(first): text, absent: None, str(second): "second"}


def test_no_file_at_all(client: pebble.Client, tmp_path: Path) -> None:
    with _reader(client) as reader:
        assert reader.files([str(tmp_path / "absent")]) == {str(tmp_path / "absent"): None}


def test_a_directory_is_an_error_as_in_ops(client: pebble.Client, tmp_path: Path) -> None:
    with pytest.raises(pebble.PathError) as theirs:
        client.pull(str(tmp_path))
    with _reader(client) as reader, pytest.raises(pebble.PathError) as ours:
        reader.files([str(tmp_path)])
    assert (ours.value.kind, ours.value.message) == (theirs.value.kind, theirs.value.message)


def test_refusal_carries_pebbles_words(client: pebble.Client) -> None:
    with _reader(client) as reader:
        with pytest.raises(pebble.APIError, match="path") as caught:
            reader.files([])
        assert caught.value.code == 400
        assert reader.states()["django"] == "active", "the connection is of use afterwards"


def test_no_socket() -> None:
    with pytest.raises(pebble.ConnectionError):
        Reader("/tmp/nu-nowhere/socket").states()


class _Odd(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "socket"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        kind, body = {
            "/v1/services": ("text/html", b"<html>"),
            "/v1/checks?names=ready": ("application/json", b'{"result": null}'),
            "/v1/plan?format=yaml": ("application/json", b""),
        }.get(self.path, ("multipart/form-data; boundary=xyz", b"--xyz\r\n\r\ncut off"))
        if not body:
            self.close_connection = True
            return
        self.send_response(500 if kind == "text/html" else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_what_is_no_pebble_is_an_error_of_pebble() -> None:
    with tempfile.TemporaryDirectory(prefix="nu-", dir="/tmp") as directory:
        path = f"{directory}/socket"
        server = socketserver.ThreadingUnixStreamServer(path, _Odd)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        reader = Reader(path)
        try:
            assert reader.answers("ready") is False
            for read in (reader.states, reader.plan, lambda: reader.files(["/a"])):
                with pytest.raises(pebble.Error):
                    read()
        finally:
            reader.close()
            server.shutdown()
            thread.join()
            server.server_close()


def test_hook_reads_by_it(client: pebble.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from nuages.charm.workload import Container

    (tmp_path / "there").write_text("text")
    paths = [str(tmp_path / "there"), str(tmp_path / "absent")]

    class Box:
        name = "app"

        def __init__(self) -> None:
            self.pebble = client

        get_plan = staticmethod(client.get_plan)
        pull = staticmethod(client.pull)

        @staticmethod
        def get_services() -> dict[str, pebble.ServiceInfo]:
            return {info.name: info for info in client.get_services()}

        @staticmethod
        def get_checks(name: str) -> dict[str, pebble.CheckInfo]:
            return {info.name: info for info in client.get_checks(names=[name])}

    container = Container(Box())  # type: ignore[arg-type]
    slow = container.glance("ready", paths)
    monkeypatch.setenv("JUJU_CONTEXT_ID", "one")
    monkeypatch.setattr(Box, "pull", None)
    assert container.glance("ready", paths) == slow
    assert slow.files == {paths[0]: "text", paths[1]: None}
    assert slow.answering
