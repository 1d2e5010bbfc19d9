"""HTTP for the identity providers, on the standard library: requests, replies, routes, a server on several ports."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import json
import re
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pages

LIMIT = 1_000_000
"""Bytes of a request's body."""
_PATIENCE = 30
"""Seconds for which a connection may be silent."""


class Refused(Exception):
    """What is asked for is not to be had; the page says why, and what to do."""

    def __init__(self, reason: str, *, advice: str = "", status: int = 400) -> None:
        super().__init__(reason)
        self.advice = advice
        self.status = status


@dataclass(frozen=True)
class Request:
    """One request. Of a parameter given twice, `query` and `form` have the last, `pairs` all."""

    method: str
    path: str
    text: str
    """The query as it came."""
    query: Mapping[str, str]
    form: Mapping[str, str]
    pairs: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    cookies: Mapping[str, str]

    @property
    def here(self) -> str:
        """Return the path with its query."""
        return f"{self.path}?{self.text}" if self.text else self.path


@dataclass
class Reply:
    """One reply."""

    body: str | bytes = ""
    status: int = 200
    kind: str = "text/html; charset=utf-8"
    headers: list[tuple[str, str]] = field(default_factory=list)
    policy: str = ""
    """What the content may do beside showing its own styles, for Content-Security-Policy."""

    def cookie(self, name: str, value: str, *, age: int) -> Reply:
        """Set a cookie for the browser alone, sent also when another site leads here; with `age` 0, remove it."""
        text = f"{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax"
        self.headers.append(("Set-Cookie", text))
        return self


def redirect(url: str) -> Reply:
    """Return a reply that leads on by GET; what cannot be in a header, a line's end above all, is encoded."""
    plain = "".join(letter if "!" <= letter <= "~" else quote(letter) for letter in url)
    return Reply(status=HTTPStatus.SEE_OTHER, headers=[("Location", plain)])


def local(path: str, **query: str) -> Reply:
    """Return a reply that leads to a page of ours."""
    return redirect(f"{path}?{urlencode(query)}" if query else path)


def document(value: Any, status: int = 200) -> Reply:
    """Return JSON, for whoever asks."""
    return Reply(json.dumps(value), status, "application/json", [("Access-Control-Allow-Origin", "*")])


Handler = Callable[[Request], Reply]
Routes = Mapping[tuple[str, str], Handler]
"""(method, path) to what answers it."""


def answer(routes: Routes, request: Request) -> Reply:
    """Return the reply to a request; what goes wrong is told on a page, what should not happen also in the log."""
    handler = routes.get(("GET" if request.method == "HEAD" else request.method, request.path))
    try:
        if handler:
            return handler(request)
        if any(path == request.path for _, path in routes):
            raise Refused(f"there is no {request.method} here", status=405)
        raise Refused("there is no such page", status=404)
    except Refused as error:
        return Reply(pages.refused(str(error), error.advice), error.status)
    except Exception:
        sys.stdout.write(f"{request.method} {request.path} failed:\n{traceback.format_exc()}")
        return Reply(pages.refused("the identity provider failed at this; its log says at what", ""), 500)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong; that somebody has hung up is nothing."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            sys.stdout.write(traceback.format_exc())


def serve(routes: Routes, ports: set[int]) -> None:
    """Answer on each of the ports, in threads, until the process ends."""

    class Connection(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version, sys_version = "identity-provider", ""
        timeout = _PATIENCE

        def _do(self) -> None:
            body = b""
            length = self.headers.get("Content-Length", "0")
            if (
                not (length.isascii() and length.isdigit())
                or int(length) > LIMIT
                or self.headers.get("Transfer-Encoding")
            ):
                self.close_connection = True
                self._send(Reply(pages.refused("the request is too big", ""), 413))
                return
            body = self.rfile.read(int(length))
            self._send(answer(routes, parse(self.command, self.path, dict(self.headers.items()), body)))

        do_GET = do_POST = do_HEAD = _do  # names of http.server

        def _send(self, reply: Reply) -> None:
            body = reply.body if isinstance(reply.body, bytes) else reply.body.encode()
            self.send_response(reply.status)
            given = {name.lower() for name, _ in reply.headers}
            headers = [
                ("Content-Type", reply.kind),
                ("Cache-Control", "no-store"),
                ("Content-Security-Policy", f"{_POLICY}; {reply.policy}" if reply.policy else _POLICY),
                ("X-Content-Type-Options", "nosniff"),
                ("Referrer-Policy", "no-referrer"),
            ]
            for name, value in [pair for pair in headers if pair[0].lower() not in given] + reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say what was asked for, without its query: that has codes and messages in it."""
            path = urlsplit(getattr(self, "path", "")).path
            if path != "/health":
                status = args[1] if len(args) > 1 else ""
                sys.stdout.write(f"{getattr(self, 'command', '')} {path!r} {status}\n")

    servers = [_Server(("", port), Connection) for port in sorted(ports)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()


_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


def parse(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Request:
    """Return the request that was sent; slashes too many in its path are no other path."""
    parts = urlsplit(re.sub("^/+", "/", target))
    lower = {name.lower(): value for name, value in headers.items()}
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    form: list[tuple[str, str]] = []
    if lower.get("content-type", "").partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    jar = SimpleCookie()
    try:
        jar.load(lower.get("cookie", ""))
    except CookieError:
        jar = SimpleCookie()
    path = re.sub("/+", "/", parts.path)
    return Request(
        method,
        path if path == "/" else path.rstrip("/"),
        parts.query,
        dict(pairs),
        dict(form),
        (*pairs, *form),
        headers,
        {name: morsel.value for name, morsel in jar.items()},
    )
