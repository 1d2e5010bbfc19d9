"""One request: answered late, answered with an error, refused, cut off."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from nuages.charm import probe
from nuages.charm.plan import Question


@contextlib.contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def never() -> str:
    return ""


@pytest.mark.parametrize("code", [200, 400, 500])
def test_any_status_is_an_answer_and_the_host_is_sent(code: int) -> None:
    seen: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        seen.append(connection.recv(4096))
        connection.sendall(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % code)

    with server(answer) as port:
        assert probe.ask(Question("notes.example", port, "/well", "https"), 5, never) == code
    assert seen[0].startswith(b"GET /well HTTP/1.1\r\n")
    assert b"Host: notes.example\r\n" in seen[0]
    assert b"X-Forwarded-Proto: https\r\n" in seen[0]


def test_request_waits_for_a_server_that_begins_late() -> None:
    with socket.socket() as spare:
        spare.bind(("127.0.0.1", 0))
        port = spare.getsockname()[1]
    started: list[socket.socket] = []

    def begin() -> None:
        listener = socket.create_server(("127.0.0.1", port))
        started.append(listener)
        connection, _ = listener.accept()
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        connection.close()

    timer = threading.Timer(0.2, begin)
    timer.start()
    try:
        assert probe.ask(Question("x", port), 10, never) == 200
    finally:
        timer.join()
        started[0].close()


def test_reason_of_a_crash_ends_the_waiting() -> None:
    with socket.socket() as spare:
        spare.bind(("127.0.0.1", 0))
        port = spare.getsockname()[1]
    begun = time.monotonic()
    with pytest.raises(probe.NoAnswer, match="ImportError"):
        probe.ask(Question("x", port), 60, lambda: "ImportError: x")
    assert time.monotonic() - begun < 30


def test_server_that_keeps_silent_or_hangs_up() -> None:
    with server(lambda connection: None) as port, pytest.raises(probe.NoAnswer):
        probe.ask(Question("x", port), 0.3, never)
    with server(lambda connection: connection.sendall(b"hello\r\n\r\n")) as port, pytest.raises(probe.NoAnswer):
        probe.ask(Question("x", port), 5, never)
