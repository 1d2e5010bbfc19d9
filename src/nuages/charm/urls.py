"""URLs of the kind that integrations carry, taken apart without ever raising.

The standard library's parser refuses a port that is not a number, which is what several hosts
(`mongodb://a:1,b:2/db`) and IPv6 addresses without brackets look like to it.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlparse

from nuages.charm.variables import Variable
from nuages.contract.row import NamedTuple


class Url(NamedTuple):
    """A URL's parts; None where it has none. User and password stay percent-encoded."""

    text: str
    scheme: str
    netloc: str
    path: str
    params: str
    query: str
    fragment: str
    username: str | None
    password: str | None
    hostname: str | None
    """Of the first host, lower case, without brackets."""
    port: str | None
    """Of the first host, as decimal digits."""

    @property
    def name(self) -> str | None:
        """The path without its first slash: a database's name. None when there is no path."""
        return self.path[1:] if self.path else None

    @property
    def origin(self) -> str:
        """Scheme, host and port, as browsers send them in `Origin`; without the scheme's own port."""
        host = self.hostname or ""
        host = f"[{host}]" if ":" in host else host
        default = {"http": "80", "https": "443"}.get(self.scheme)
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port and self.port != default else "")


def parse(text: str) -> Url:
    """Take a URL apart; with several hosts, hostname and port are the first one's."""
    try:
        parts = urlparse(text)
        scheme, netloc, path, params, query, fragment = parts
    except ValueError:  # brackets that do not match, or what is no address between them
        scheme, _, rest = text.partition("://")
        netloc, slash, path = rest.partition("/")
        path, params, query, fragment = slash + path, "", "", ""
    userinfo, at, hosts = netloc.rpartition("@")
    username: str | None = None
    password: str | None = None
    if at:
        username, colon, secret = userinfo.partition(":")
        password = secret if colon else None
    hostname, port = _host(hosts.split(",")[0])
    return Url(text, scheme, netloc, path, params, query, fragment, username, password, hostname.lower() or None, port)


def _host(text: str) -> tuple[str, str | None]:
    """Split `host:port`, `[::1]:port` or a bare IPv6 address."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket:
            return text, None
    elif text.count(":") > 1:
        return text, None
    else:
        host, colon, rest = text.partition(":")
        rest = colon + rest
    digits = rest[1:]
    return host, digits if digits.isdecimal() and digits.isascii() else None


def build(scheme: str, username: str, password: str, host: str, name: str) -> str:
    """Return a URL with everything percent-encoded that would be read as another part."""
    return f"{scheme}://{encoded(username)}:{encoded(password)}@{host}/{encoded(name)}"


def encoded(text: str) -> str:
    """Percent-encode whatever has a meaning in a URL; what is no character at all becomes a question mark."""
    return quote(text, safe="", errors="replace")


HOST = re.compile(r"(\[[^\[\]\s/?#@,\\\x00-\x20]+\]|[^\[\]\s/?#@,\\\x00-\x20]+)(:[0-9]+)?")


def is_host(text: str) -> bool:
    """Whether `host` or `host:port` can stand in a URL as it is."""
    return HOST.fullmatch(text) is not None and bool(_host(text)[0])


def bracketed(host: str) -> str:
    """Return a host as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


SEVERAL = re.compile(r",\s*(?=[A-Za-z][A-Za-z0-9+.-]*://)")
DOUBLED = re.compile(r"(\[[^\]]*\]|[^:,\[\]]+):([0-9]+):\2(?=,|$)")


def first(text: str) -> str:
    """Return the first of several URLs that commas separate, or "" when the text is no URL with a host.

    A port that is written twice (`host:5432:5432`, as PostgreSQL 16 writes in `read-only-uris`) is written once.
    """
    text = SEVERAL.split(text.strip(), maxsplit=1)[0]
    scheme, separator, rest = text.partition("://")
    end = re.search(r"[/?#]", rest)
    netloc = rest[: end.start()] if end else rest
    userinfo, at, hosts = netloc.rpartition("@")
    mended = scheme + separator + userinfo + at + DOUBLED.sub(r"\1:\2", hosts) + rest[len(netloc) :]
    return mended if separator and parse(mended).hostname else ""


def with_query(text: str, parameters: Mapping[str, str]) -> str:
    """Add query parameters to a URL, each unless it has it already; their values are taken as they are."""
    before, mark, fragment = text.partition("#")
    base, question, query = before.partition("?")
    there = {part.partition("=")[0] for part in query.split("&")}
    added = [f"{name}={value}" for name, value in parameters.items() if name not in there]
    if not added:
        return text
    return f"{base}?{'&'.join([*([query] if question and query else []), *added])}{mark}{fragment}"


def variables(prefix: str, text: str, origin: str) -> tuple[Variable, ...]:
    """Return the variables that a URL becomes: `POSTGRESQL_DB_CONNECT_STRING`, `_SCHEME` and so on.

    User, password, host and port are left out when the URL has none; the name only follows a `_DB` prefix.
    """
    url = parse(text)
    values: list[tuple[str, str | None, bool]] = [
        ("CONNECT_STRING", url.text, True),
        ("SCHEME", url.scheme, False),
        ("NETLOC", url.netloc, True),
        ("PATH", url.path, False),
        ("PARAMS", url.params, False),
        ("QUERY", url.query, False),
        ("FRAGMENT", url.fragment, False),
        ("USERNAME", url.username, False),
        ("PASSWORD", url.password, True),
        ("HOSTNAME", url.hostname, False),
        ("PORT", url.port, False),
        ("NAME", url.name if prefix.endswith("_DB") else None, False),
    ]
    return tuple(
        Variable(f"{prefix}_{part}", value, origin, secret) for part, value, secret in values if value is not None
    )


def web(text: str) -> str:
    """Return an http URL with its host in lower case and a path of at least `/`; "" for anything else."""
    url = parse(text)
    if url.scheme not in ("http", "https") or not url.hostname or not text.isprintable() or " " in text:
        return ""
    rest = text.partition("://")[2][len(url.netloc) :]
    userinfo, at, hosts = url.netloc.rpartition("@")
    return f"{url.scheme}://{userinfo}{at}{hosts.lower()}{rest if rest.startswith('/') else '/' + rest}"
