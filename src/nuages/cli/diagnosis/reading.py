"""What a page's text says: where it leads, which files it names, what it is recognised by. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

MARKS = {
    "no-route": re.compile(rb"\A404 page not found\s*\Z"),
    "debug": re.compile(rb"<code>DEBUG = True</code>|DEBUG=True</a>"),
    "csrf": re.compile(rb"CSRF verification failed"),
    "csrf-no-cookie": re.compile(rb"requires a CSRF cookie|CSRF cookie not set"),
}
"""Traefik's answer where it has no route (seen with 3.7); words of Django's own pages (4.2 to 6.0)."""

_LEFT_ALONE = re.compile(r"log-?out|sign-?out|delete|remove|destroy|unsubscribe|cancel|download|export", re.IGNORECASE)
"""Links that a browser would follow only when told to."""


@dataclass
class Form:
    """A form with a password in it."""

    action: str = ""
    token: str = ""
    fields: list[str] = field(default_factory=list[str])
    password: bool = False


@dataclass(frozen=True)
class Page:
    """What is on a page: paths on the same host, and the form in which one logs in."""

    links: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    login: Form | None = None


def marks(body: bytes) -> tuple[str, ...]:
    """Return the names of the marks that are in a page's text."""
    return tuple(name for name, pattern in MARKS.items() if pattern.search(body))


def read(url: str, kind: str, body: bytes) -> Page:
    """Return what is on the page at `url`; nothing of what is no HTML."""
    if "html" not in kind:
        return Page()
    parser = _Parser()
    parser.feed(body.decode("utf-8", "replace"))
    links = (path for path in _here(url, parser.links) if not _LEFT_ALONE.search(path))
    login = next((form for form in parser.forms if form.password and form.token), None)
    return Page(tuple(dict.fromkeys(links)), tuple(dict.fromkeys(_here(url, parser.files))), login)


def _here(url: str, targets: list[str]) -> list[str]:
    """Return the paths of those targets that are on the page's own host."""
    found: list[str] = []
    for target in targets:
        try:
            parts = urlsplit(urljoin(url, target.strip()))
        except ValueError:
            continue  # somebody else's odd link is no fault of the page
        if parts.netloc == urlsplit(url).netloc and parts.scheme in ("http", "https"):
            found.append((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    return found


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.files: list[str] = []
        self.forms: list[Form] = []
        self._form: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and given.get("href", "#").partition("#")[0]:
            self.links.append(given["href"])
        elif tag == "link" and {"stylesheet", "icon"} & set(given.get("rel", "").lower().split()):
            self.files.append(given.get("href", ""))
        elif tag in ("script", "img") and given.get("src") and not given["src"].startswith("data:"):
            self.files.append(given["src"])
        elif tag == "form" and given.get("method", "").lower() == "post":
            self._form = Form(given.get("action", ""))
            self.forms.append(self._form)
        elif tag == "input" and self._form is not None:
            self._input(self._form, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None

    @staticmethod
    def _input(form: Form, given: dict[str, str]) -> None:
        if given.get("name") == "csrfmiddlewaretoken":
            form.token = given.get("value", "")
        elif given.get("name"):
            form.fields.append(given["name"])
        form.password = form.password or given.get("type") == "password"
