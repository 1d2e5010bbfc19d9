"""A browser without JavaScript, over plain urllib: cookies, redirects, forms; `*.localhost` is this machine."""

from __future__ import annotations

import http.client
import http.cookiejar
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin


class _Connection(http.client.HTTPConnection):
    def connect(self) -> None:
        # As browsers do it (RFC 6761, 6.3), whatever the machine's resolver says.
        host = "127.0.0.1" if self.host.endswith(".localhost") else self.host
        self.sock = socket.create_connection((host, self.port), self.timeout)


class _Handler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_Connection, req)


class _Form(HTMLParser):
    """The first form of a page: where it goes, and the values of its fields."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = found.get("action") or ""
        if tag == "input" and found.get("name"):
            self.fields[found["name"] or ""] = found.get("value") or ""


class Visitor:
    """One person. After each step `url`, `status` and `text` are those of the page that it led to."""

    def __init__(self) -> None:
        self.jar = http.cookiejar.CookieJar()
        self.url, self.status, self.text = "", 0, ""
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), _Handler(), urllib.request.HTTPCookieProcessor(self.jar)
        )

    def get(self, url: str) -> Visitor:
        return self._open(urllib.request.Request(urljoin(self.url, url)))

    def press(self, **fields: str) -> Visitor:
        """Fill in the page's form and press its button."""
        form = _Form(self.text)
        assert form.action is not None, f"{self.url} has no form: {self.status} {self.text[:600]}"
        data = urlencode({**form.fields, **fields}).encode()
        return self._open(urllib.request.Request(urljoin(self.url, form.action), data=data))

    def _open(self, request: urllib.request.Request) -> Visitor:
        try:
            answer = self._opener.open(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            self.url, self.status, self.text = answer.url, answer.status or 0, answer.read().decode()
        return self


def told(visitor: Visitor) -> Mapping[str, str]:
    """Return what the application knows of the person that it shows."""
    assert visitor.status == 200, f"{visitor.url}: {visitor.status} {visitor.text[:1500]}"
    parts = visitor.text.split("<dd id=")[1:]
    return {name: rest.partition("</dd>")[0] for name, _, rest in (part.partition(">") for part in parts)}
