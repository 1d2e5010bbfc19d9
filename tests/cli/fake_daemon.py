"""A daemon in a thread: answers the API's routes with prepared documents and remembers what was asked."""

import json
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from nuages import __version__


@dataclass(frozen=True)
class Refuse:
    """An answer that is an error."""

    message: str
    fix: str = ""
    status: int = 400


@dataclass
class FakeDaemon:
    directory: Path
    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    version: str = __version__

    def on(self, method: str, path: str, answer: Any) -> None:
        """Answer METHOD PATH with a document, a list of them (a stream), a `Refuse` or a function of the body."""
        self.answers[method, path] = answer

    def change(self, method: str, path: str, *, number: str = "7", **change: Any) -> None:
        """Answer METHOD PATH with a change that is done."""
        self.on(method, path, {"change": number})
        self.changes[number] = {
            "id": number,
            "kind": "x",
            "summary": "do it",
            "status": "Done",
            "ready": True,
            "tasks": [],
            "error": None,
            "result": None,
            "spawn-time": "2026-01-02T03:04:05Z",
            "ready-time": "2026-01-02T03:04:06Z",
        } | change

    def bodies(self, method: str, path: str) -> list[Any]:
        return [body for verb, where, body in self.asked if (verb, where) == (method, path)]

    def answer(self, method: str, target: str, body: Any) -> Any:
        parts = urlsplit(target)
        path = unquote(parts.path)
        query = {key: values[0] if len(values) == 1 else values for key, values in parse_qs(parts.query).items()}
        self.asked.append((method, path, body if method != "GET" else query))
        answer = self.answers.get((method, path))
        if answer is None and "/changes/" in path:
            return self.changes.get(path.rpartition("/")[2], Refuse("cannot find the change", status=404))
        if answer is None:
            return Refuse(f"cannot {method} {path}: no such route in the fake", status=404)
        return answer(body) if isinstance(answer, Callable) else answer


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    fake: FakeDaemon


class _Handler(BaseHTTPRequestHandler):
    def _serve(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        answer = server.fake.answer(self.command, self.path, body)
        status, content = 200, b""
        if isinstance(answer, Refuse):
            status = answer.status
            content = json.dumps({"error": {"message": answer.message, "fix": answer.fix, "code": "refused"}}).encode()
        elif isinstance(answer, tuple):
            content = b"".join(json.dumps(line).encode() + b"\n" for line in answer)
        else:
            content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Nuages-Version", server.fake.version)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *args: Any) -> None:
        pass


def serve(fake: FakeDaemon) -> Callable[[], None]:
    """Serve until the function returned is called."""
    server = _Server(str(fake.directory / "daemon.sock"), _Handler)
    server.fake = fake
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join(5)

    return stop
