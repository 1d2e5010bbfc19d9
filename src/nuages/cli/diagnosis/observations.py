"""What was observed of a running application: facts only, no secrets, and nothing that could not be written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Role = Literal["front", "link", "static", "login", "health", "missing"]
"""Why a page was asked for; `login` is a form that was sent empty, `missing` a page that nobody has."""


@dataclass(frozen=True)
class Cookie:
    """A cookie that a page set, without its value."""

    name: str
    secure: bool = False
    domain: str = ""


@dataclass(frozen=True)
class Reply:
    """One HTTP answer; `failure` instead when there was none."""

    url: str
    status: int = 0
    location: str = ""
    kind: str = ""
    """Its Content-Type."""
    marks: tuple[str, ...] = ()
    """What its text was recognised by: the names in `reading.MARKS`."""
    cookies: tuple[Cookie, ...] = ()
    failure: str = ""

    @property
    def path(self) -> str:
        """The path that was asked for."""
        return urlsplit(self.url).path or "/"


@dataclass(frozen=True)
class Visit:
    """A page asked for, with the redirects that were followed; the last reply is where they ended."""

    role: Role
    replies: tuple[Reply, ...]
    links: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Style sheets, scripts and pictures that it names: paths on the same host."""

    @property
    def first(self) -> Reply:
        """What was asked for."""
        return self.replies[0]

    @property
    def last(self) -> Reply:
        """Where it ended."""
        return self.replies[-1]


@dataclass(frozen=True)
class Raised:
    """An exception, as the application's own Python names it."""

    type: str
    """With its module: `redis.exceptions.ConnectionError`."""
    text: str
    path: str = ""
    """The page that raised it; "" when the application itself does not load."""
    service: str = ""
    """The service that logged it, when that was not the web server."""
    file: str = ""
    """The last file of the project that it passed."""
    line: int = 0
    causes: tuple[tuple[str, str], ...] = ()
    """Types and texts of the exceptions that led to it."""

    @property
    def chain(self) -> tuple[tuple[str, str], ...]:
        """Type and text of the exception and of its causes."""
        return ((self.type, self.text), *self.causes)


@dataclass(frozen=True)
class Inside:
    """What Django says of itself, with the environment that the web server runs with."""

    host_allowed: bool = True
    hosts: tuple[str, ...] = ()
    debug: bool = False
    vendor: str = ""
    """The database's, as Django calls it; "" when it was not reached."""
    secure_cookies: tuple[str, ...] = ()
    """Settings that are on: SESSION_COOKIE_SECURE, CSRF_COOKIE_SECURE."""
    cookie_domains: tuple[tuple[str, str], ...] = ()
    """SESSION_COOKIE_DOMAIN and CSRF_COOKIE_DOMAIN, where they are given."""
    script_name: str = ""
    """FORCE_SCRIPT_NAME."""
    storage: str = ""
    """The class that makes static files' URLs."""
    routed_below: str = ""
    """The base URL's path, if routes begin with it."""
    health: tuple[str, ...] = ()
    """Paths that look like health pages."""
    services: tuple[tuple[str, str], ...] = ()
    """Settings that name another server, and where: ("CACHES", "redis://localhost:6379")."""
    unreachable: tuple[tuple[str, str], ...] = ()
    """Those of them where nothing listens."""
    raised: tuple[Raised, ...] = ()


@dataclass(frozen=True)
class Unit:
    """A unit of the application, as its charm says."""

    name: str
    workload: str
    message: str = ""


@dataclass(frozen=True)
class Line:
    """A line that a service printed lately."""

    service: str
    message: str


@dataclass(frozen=True)
class Observations:
    """Everything that `explain` goes by."""

    application: str
    url: str
    """The public one, as the application is told in DJANGO_BASE_URL."""
    visits: tuple[Visit, ...] = ()
    inside: Inside | None = None
    units: tuple[Unit, ...] = ()
    services: tuple[str, ...] = ()
    """The application's services beside the web server: workers, schedulers."""
    lines: tuple[Line, ...] = ()
    endpoints: tuple[tuple[str, str], ...] = ()
    """The charm's endpoints and their interfaces."""
    related: tuple[str, ...] = ()
    """The endpoints that have a relation."""
    packages: tuple[str, ...] = ()
    """The project's own packages, which no requirement brings."""
    debug_option: bool = False
    """Whether DJANGO_DEBUG is true: debug is on because somebody said so."""
    places: tuple[tuple[str, str, int], ...] = ()
    """Settings with file and line; "" is the settings module itself."""
    notes: tuple[str, ...] = field(default=())
    """What could not be observed, and why."""

    @property
    def prefix(self) -> str:
        """The public URL's path without a slash at its end."""
        return urlsplit(self.url).path.rstrip("/")

    def visited(self, *roles: Role) -> tuple[Visit, ...]:
        """Return the visits of these kinds."""
        return tuple(visit for visit in self.visits if visit.role in roles)

    @property
    def front(self) -> Visit | None:
        """The front page."""
        return next(iter(self.visited("front")), None)
