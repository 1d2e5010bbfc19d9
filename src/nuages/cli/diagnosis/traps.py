"""The traps that a Django project falls into under a charm, each with what gives it away. Pure.

Seen in real projects: settings that are right on a laptop, or on another platform, and not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nuages.cli.diagnosis import exceptions, pages
from nuages.cli.diagnosis.database import wrong_database
from nuages.cli.diagnosis.findings import Finding, placed
from nuages.cli.diagnosis.observations import Observations
from nuages.cli.diagnosis.pages import HTTPS


@dataclass(frozen=True)
class Trap:
    """One thing that may be wrong: how it shows, for the reference, and what finds it."""

    code: str
    shows: str
    why: str
    mend: str
    find: Callable[[Observations], Iterator[Finding]]
    final: bool = False
    """Whether it explains whatever else is wrong with pages."""


def explain(seen: Observations) -> tuple[Finding, ...]:
    """Return everything that is wrong, what keeps visitors from the front page first."""
    found: list[Finding] = []
    final = False
    for trap in TRAPS:
        if not final or trap.code in BESIDES:
            here = [placed(finding, seen) for finding in trap.find(seen)]
            found += here
            final = final or (trap.final and bool(here))
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))


def _nothing(_: Observations) -> Iterator[Finding]:
    """Find nothing: the row is there for its words, and another row's function finds both."""
    return iter(())


TRAPS = (
    Trap(
        "no-answer", "nothing answers", "Ingress does not listen.", "Look at `nuages status`.", pages.silent, final=True
    ),
    Trap(
        "no-route",
        "`404 page not found`, in plain text",
        "It is ingress that answers: it has no route to the application.",
        "Integrate the endpoint `ingress` with traefik-k8s.",
        pages.no_route,
        final=True,
    ),
    Trap(
        "hosts-refused",
        "400 Bad Request on every page",
        "ALLOWED_HOSTS does not hold the public host. Often the settings read DJANGO_ALLOWED_HOSTS, but split it at"
        " commas: it is a JSON list.",
        '`ALLOWED_HOSTS = json.loads(os.environ.get("DJANGO_ALLOWED_HOSTS", "[]"))`',
        pages.hosts,
        final=True,
    ),
    Trap(
        "https-redirect",
        "a redirect to `https:` without end",
        "SECURE_SSL_REDIRECT is on, and ingress has no TLS.",
        f"`SECURE_SSL_REDIRECT = {HTTPS}`",
        pages.redirects,
        final=True,
    ),
    Trap(
        "redirect-loop",
        "a redirect without end on the same host",
        "A middleware or a view redirects every request, its own target among them.",
        "Leave the target out of what is redirected.",
        _nothing,
        final=True,
    ),
    Trap(
        "static-manifest",
        "pages are 500 while the health page is 200",
        "The storage looks static files up in a manifest, which is not there until `collectstatic` has run.",
        "A storage without a manifest and WhiteNoise's finders, or `collectstatic` in the rock's parts.",
        exceptions.static_manifest,
    ),
    Trap(
        "not-installed",
        "500, or a worker that ends at once: `No module named …`",
        "The settings name a broker, cache or driver whose package is not among the requirements.",
        "Add the package to the requirements.",
        exceptions.not_installed,
    ),
    Trap(
        "not-related",
        "500, or a worker that waits: `Connection refused`",
        "The settings look for Redis, RabbitMQ or another server on `localhost`, which is the container itself.",
        "Declare the endpoint in charmcraft.yaml, integrate it, and let the settings read its variables.",
        exceptions.not_related,
    ),
    Trap(
        "not-migrated",
        "500: a relation, table or column does not exist",
        "A model was changed without a migration.",
        "`python3 manage.py makemigrations`, then `nuages up`.",
        exceptions.not_migrated,
    ),
    Trap(
        "page-fails",
        "500 on some or all pages",
        "Something else is raised; what, and on which line of the project, is shown.",
        "Mend that line. With `LOGGING` to the console, `nuages logs` has the whole traceback.",
        exceptions.page_fails,
    ),
    Trap(
        "not-loading",
        "502, or a unit that is blocked",
        "Importing the project raises something, with the environment that the charm gives it.",
        "Mend the line that is shown.",
        _nothing,
    ),
    Trap(
        "service-fails",
        "a worker or scheduler does not work",
        "Its log ends with a traceback.",
        "Mend the line that is shown.",
        _nothing,
    ),
    Trap(
        "no-web-server",
        "502 or 504",
        "No web server runs behind ingress: it is starting, was stopped by the charm, or ended.",
        "Look at `nuages status`, then at `nuages logs`.",
        pages.no_web_server,
    ),
    Trap(
        "base-path",
        "links on the front page are 404, or all pages are",
        "The public URL has a path, which ingress takes off requests; links have to have it and routes must not. Or"
        " FORCE_SCRIPT_NAME is given where there is no path.",
        "FORCE_SCRIPT_NAME from the path of DJANGO_BASE_URL, and routes without it.",
        pages.base_path,
    ),
    Trap(
        "static-missing",
        "style sheets are 404",
        "Nothing serves static files under gunicorn.",
        "WhiteNoise in the requirements and in MIDDLEWARE, with `WHITENOISE_USE_FINDERS = True`.",
        pages.static_files,
    ),
    Trap(
        "secure-cookies",
        "a login never sticks",
        "Secure cookies over plain http: browsers do not send them back (but to the name `localhost`).",
        f"`SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = {HTTPS}`",
        pages.secure_cookies,
    ),
    Trap(
        "cookie-domain",
        "a login never sticks, 403 on every form",
        "SESSION_COOKIE_DOMAIN or CSRF_COOKIE_DOMAIN names another domain than the public host's.",
        "Leave it out.",
        pages.cookie_domain,
    ),
    Trap(
        "csrf",
        "403 Forbidden: CSRF verification failed",
        "Django takes another origin than the public URL's for its own.",
        "`CSRF_TRUSTED_ORIGINS` from DJANGO_CSRF_TRUSTED_ORIGINS; look at SECURE_PROXY_SSL_HEADER.",
        pages.csrf,
    ),
    Trap(
        "wrong-database",
        "data is gone after an upgrade",
        "SQLite, or another database than the related one, is in use.",
        "DATABASES from the variables of the relation.",
        wrong_database,
    ),
    Trap(
        "debug-on",
        "pages with settings and code",
        "DEBUG is on.",
        '`DEBUG = os.environ.get("DJANGO_DEBUG", "false") == "true"`, or the option `django-debug`.',
        pages.debug,
    ),
    Trap("unit", "a unit is blocked or in error", "Its message says why.", "Do what the message says.", pages.units),
)
"""In the order in which they are looked for; what is `final` ends the search but for `BESIDES`."""

BESIDES = ("not-loading", "secure-cookies", "cookie-domain", "wrong-database", "debug-on", "unit")
"""What is wrong whatever else is."""
