"""A person with a browser inside the provider's pod: keeps cookies, fills in forms, follows nothing."""

from __future__ import annotations

import html
import http.client
import json
import re
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.services.pod import Pod, until

_PROXY = r"""
import os, socket, socketserver, sys, threading
def pump(source, target):
    while data := source.recv(65536):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)
class Carry(socketserver.BaseRequestHandler):
    def handle(self):
        with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as far:
            threading.Thread(target=pump, args=(self.request, far), daemon=True).start()
            pump(far, self.request)
class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
server = Server("/charm/container/new.socket", Carry)
os.rename("/charm/container/new.socket", "/charm/container/web.socket")
server.serve_forever()
"""
"""Lets the host into the pod's network, by a folder that both have."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("provider", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


@dataclass
class Page:
    """What a server answered."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def location(self) -> str:
        return self.headers["location"]

    @property
    def document(self) -> Any:
        return json.loads(self.text)

    @property
    def fields(self) -> dict[str, str]:
        """The hidden fields of the page's form."""
        found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', self.text)
        return {html.unescape(name): html.unescape(value) for name, value in found}

    @property
    def target(self) -> str:
        """Where the page's form goes."""
        found = re.search(r'<form method="post" action="([^"]*)"', self.text)
        assert found, self.text
        return html.unescape(found[1])

    @property
    def words(self) -> str:
        return html.unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", self.text, flags=re.DOTALL))


@dataclass
class Person:
    """One browser. URLs may name any host: all of them are the pod."""

    way: Path
    """Our socket into the pod; see `way`."""
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Page:
        return self._ask("GET", url, None, headers or {})

    def post(self, url: str, fields: Mapping[str, str], *, headers: Mapping[str, str] | None = None) -> Page:
        more = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return self._ask("POST", url, urlencode(fields), more)

    def sign_in(self, page: Page, username: str, password: str) -> Page:
        """Fill in a login page and press its button; return the answer, which leads on when it was right."""
        assert 'name="password"' in page.text, page.words
        return self.post(page.target, {**page.fields, "username": username, "password": password})

    def _ask(self, method: str, url: str, body: str | None, headers: Mapping[str, str]) -> Page:
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **headers}
        connection = _Connection(self.way)
        try:
            connection.request(method, target, body=body, headers=sent)
            answer = connection.getresponse()
            status, pairs, text = answer.status, answer.getheaders(), answer.read().decode()
        finally:
            connection.close()
        for name, value in pairs:
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                content, _, attributes = rest.partition(";")
                if "Max-Age=0" in attributes:
                    self.cookies.pop(key, None)
                else:
                    self.cookies[key] = content
        return Page(status, {name.lower(): value for name, value in pairs}, text)


def way(pod: Pod, port: int) -> tuple[Path, Any]:
    """Return a socket that leads to a port of the pod's loopback, and the process that does it.

    The process ends when nobody refers to it any more, at the latest with the pod.
    """
    process = pod.client.exec(
        [str(Path(sys.executable).resolve()), "-I", "-S", "-c", _PROXY, str(port)], working_dir="/"
    )
    path = pod.sockets / "web.socket"
    until(path.exists, "the pod's network can be reached")
    return path, process


def inside(pod: Pod, program: str, **told: Any) -> Any:
    """Run a program with the provider's own libraries in its pod; it reads JSON and prints JSON."""
    variables = {"PYTHONPATH": "/opt/libraries:/opt/nuages"}
    said = pod.run("/opt/nuages/python3", "-s", "-B", "-c", program, stdin=json.dumps(told), environment=variables)
    return json.loads(said)
