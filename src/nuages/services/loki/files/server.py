"""The HTTP server: who comes from a related application's pod may push; who asks, or pushes otherwise, logs in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Generic, TypeVar, cast
from urllib.parse import parse_qs, unquote, urlsplit

from . import alerts, evaluate, page
from .api import Api, NotSpoken, Refused, Settings
from .logql import SECOND, QueryError
from .store import Store

_BODY = 32_000_000
"""Bytes of a request that are read at most."""
_PUSH = ("/loki/api/v1/push", "/api/prom/push")
_STRANGER = b"only related applications may push, or who logs in with the user and password that show-page shows\n"
T = TypeVar("T")
Owner = Callable[[str], str]
"""Returns the application whose pod has an address, "" when it is no pod's."""


def say(text: str) -> None:
    """Write a line to the log."""
    sys.stdout.write(f"{text}\n")


class File(Generic[T]):
    """A file's content, read anew when it was replaced."""

    def __init__(self, path: Path, parse: Callable[[object], T]) -> None:
        self.path, self.parse = path, parse
        self.stamp: tuple[int, int] = (0, 0)
        self.value = self.parse({})

    def get(self) -> tuple[T, bool]:
        """Return the content, and whether it is new."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return self.value, False
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp == self.stamp:
            return self.value, False
        self.value, self.stamp = self.parse(json.loads(self.path.read_text())), stamp
        return self.value, True


def settings(document: object) -> Settings:
    """Return the settings in a document."""
    return Settings(**cast("dict[str, int]", document))  # pyright: ignore[reportArgumentType]  # ours, as we wrote it


@dataclass
class Worker:
    """What happens besides requests, each second: rules are evaluated, old lines go."""

    api: Api
    settings: File[Settings]
    rules: File[list[alerts.Rule]]

    def once(self, now: int) -> None:
        """Do what is due."""
        known, _ = self.settings.get()
        self.prune(known, now)
        rules, fresh = self.rules.get()
        if fresh:
            self.api.ruler.replace(rules)
        for rule in self.api.ruler.next(now):
            if rule.query is None:
                continue
            try:
                (vector,) = evaluate.vectors(self.api.store, rule.query, [now])
            except QueryError as error:
                say(f"cannot evaluate {rule.name}: {error}")
                continue
            for text in self.api.ruler.update(rule, vector, now):
                say(text)

    def prune(self, known: Settings, now: int) -> None:
        """Remove what is too old, or too much."""
        before = now - known.days * 24 * 3600 * SECOND if known.days else 0
        gone = self.api.store.prune(before=before, most=known.size)
        if gone:
            say(f"removed the {gone} oldest lines: retention")

    def forever(self, stop: threading.Event) -> None:
        """Do it each second until told to stop; what the store cannot do now is said, and tried again."""
        while not stop.wait(1):
            try:
                self.once(time.time_ns())
            except sqlite3.Error as error:
                say(f"cannot look after the logs: {error}")


def last_words(arguments: threading.ExceptHookArgs) -> None:
    """End the program when a thread fails: Pebble starts it anew, and says so."""
    threading.__excepthook__(arguments)
    os._exit(1)


def handler(api: Api, known: File[Settings], owner: Owner) -> type[BaseHTTPRequestHandler]:
    """Return the class that answers requests."""

    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "log-store", ""
        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_GET(self) -> None:
            """Answer a question."""
            url = urlsplit(self.path)
            if url.path == "/ready":
                self._send(HTTPStatus.OK, b"ready\n", "text/plain")
            else:
                self._ask(url.path, parse_qs(url.query))

        def do_POST(self) -> None:
            """Keep lines, or answer a question whose parameters are a form."""
            body = self._body()
            if body is None:
                return
            url = urlsplit(self.path)
            if url.path in _PUSH:
                if not self._may_push():
                    self._send(HTTPStatus.UNAUTHORIZED, _STRANGER, "text/plain", login=True)
                    return
                kind, encoding = (self.headers.get(f"Content-{name}", "") for name in ("Type", "Encoding"))
                try:
                    status, text = api.push(body, kind, encoding, known.get()[0])
                except sqlite3.Error as error:
                    status, text = 500, f"cannot keep it: {error}"
                    say(text)
                self._send(HTTPStatus(status), f"{text}\n".encode() if text else b"", "text/plain")
            else:
                form = parse_qs(body.decode(errors="replace"))
                self._ask(url.path, parse_qs(url.query) | form)

        def _may_push(self) -> bool:
            now = known.get()[0]
            if owner(self.client_address[0]) in now.applications:
                return True
            return _allowed(self.headers.get("Authorization", ""), now)

        def _body(self) -> bytes | None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal():
                # Nobody who pushes logs sends chunks; what follows on this connection could not be told apart.
                self.close_connection = True
                self._send(HTTPStatus.LENGTH_REQUIRED, b"a Content-Length is needed\n", "text/plain")
                return None
            if int(length) > _BODY:
                self.close_connection = True
                self._send(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {_BODY} bytes\n".encode(), "text/plain")
                return None
            return self.rfile.read(int(length))

        def _ask(self, path: str, parameters: dict[str, list[str]]) -> None:
            if not _allowed(self.headers.get("Authorization", ""), known.get()[0]):
                self._send(HTTPStatus.UNAUTHORIZED, b"a user and a password are needed\n", "text/plain", login=True)
                return
            try:
                if path in ("/", "/index.html"):
                    self._send(HTTPStatus.OK, page.shown(api, parameters).encode(), "text/html")
                    return
                text = json.dumps(api.get(unquote(path), parameters))
                self._send(HTTPStatus.OK, text.encode(), "application/json")
            except Refused as error:
                self._send(HTTPStatus.BAD_REQUEST, f"{error}\n".encode(errors="replace"), "text/plain")
            except sqlite3.Error as error:
                self._send(HTTPStatus.INTERNAL_SERVER_ERROR, f"cannot read the logs: {error}\n".encode(), "text/plain")
            except NotSpoken:
                self._send(HTTPStatus.NOT_FOUND, b"not found: this is not Loki, only a part of its API\n", "text/plain")

        def _send(self, status: HTTPStatus, body: bytes, kind: str, *, login: bool = False) -> None:
            self.send_response(status)
            if status != HTTPStatus.NO_CONTENT:
                self.send_header("Content-Type", f"{kind}; charset=utf-8" if kind != "application/json" else kind)
                self.send_header("Content-Length", str(len(body)))
            if login:
                self.send_header("WWW-Authenticate", 'Basic realm="logs", charset="UTF-8"')
            self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            if status != HTTPStatus.NO_CONTENT:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing: each second somebody pushes."""

    return Handler


class Server(ThreadingHTTPServer):
    """A thread for each connection."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _allowed(header: str, known: Settings) -> bool:
    kind, _, text = header.partition(" ")
    try:
        user, _, password = base64.b64decode(text, validate=True).decode().partition(":")
    except ValueError:
        return False
    digest = hashlib.sha256(password.encode()).hexdigest()
    good = hmac.compare_digest(user.encode(), known.user.encode()) & hmac.compare_digest(digest, known.password)
    return kind.lower() == "basic" and bool(known.password) and good


def main(home: Path, port: int, version: str, owner: Owner) -> None:
    """Serve until a signal ends it."""
    store = Store(home / "logs.sqlite3")
    api = Api(store, alerts.Ruler(), version)
    known = File(home / "settings.json", settings)
    threading.excepthook = last_words
    stop = threading.Event()
    worker = Worker(api, known, File(home / "rules.json", alerts.read))
    threading.Thread(target=worker.forever, args=(stop,), daemon=True).start()
    server = Server(("", port), handler(api, known, owner))

    def end(_number: int, _frame: object) -> None:
        threading.Thread(target=server.shutdown).start()  # it waits for the loop that this handler interrupts

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    say(f"takes logs on port {port}; {store.size()} bytes are kept")
    server.serve_forever()
    stop.set()
    store.close()
