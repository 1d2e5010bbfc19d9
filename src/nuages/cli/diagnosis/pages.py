"""Findings from what pages answered and what Django says of its settings. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from nuages.cli.diagnosis import exceptions
from nuages.cli.diagnosis.browser import belongs
from nuages.cli.diagnosis.findings import Finding
from nuages.cli.diagnosis.observations import Observations, Visit
from nuages.cli.status_table import NAMED_COMMAND

_HOSTS = 'write ALLOWED_HOSTS = json.loads(os.environ.get("DJANGO_ALLOWED_HOSTS", "[]"))'
HTTPS = 'os.environ.get("DJANGO_BASE_URL", "").startswith("https:")'


def silent(seen: Observations) -> Iterator[Finding]:
    """Ingress listens."""
    front = seen.front
    if front is not None and front.last.failure:
        why = f"{front.last.failure}; ingress is not there"
        yield Finding("no-answer", "error", f"nothing answers at {front.last.url}", why, "nuages status")


def no_route(seen: Observations) -> Iterator[Finding]:
    """Ingress knows the application."""
    front = seen.front
    if front is not None and front.last.status == 404 and "no-route" in front.last.marks:
        why = "ingress has no route to the application"
        fix = "nuages status --relations; its endpoint `ingress` has to be related to traefik-k8s"
        yield Finding("no-route", "error", f"{front.last.url} is 404", why, fix)


def no_web_server(seen: Observations) -> Iterator[Finding]:
    """There is a web server behind ingress."""
    front = seen.front
    if front is None or front.last.status not in (502, 503, 504) or exceptions.raised_anywhere(seen):
        return
    messages = [
        f"{unit.name} says: {unit.message}" for unit in seen.units if unit.workload != "active" and unit.message
    ]
    if not seen.units:
        why, fix = "it has no unit", f"nuages scale-application {seen.application} 1"
        yield Finding("no-web-server", "error", f"{front.last.url} is {front.last.status}", why, fix)
        return
    why = "ingress reaches no web server of the application" + "".join(f"; {text}" for text in messages)
    fix = f"nuages status; nuages logs {seen.application}"
    yield Finding("no-web-server", "error", f"{front.last.url} is {front.last.status}", why, fix)


def hosts(seen: Observations) -> Iterator[Finding]:
    """Django takes the public host for its own."""
    visits = seen.visited("front", "link")
    refused = [visit for visit in visits if visit.last.status == 400]
    if not refused or (seen.inside is not None and seen.inside.host_allowed):
        return
    host = urlsplit(seen.url).hostname
    hosts = seen.inside.hosts if seen.inside else ()
    why = f"Django refuses the host {host}"
    if any(set(entry) & set("[]\"'") for entry in hosts):
        why += f": DJANGO_ALLOWED_HOSTS is a JSON list, and the settings read it in another format ({_few(hosts)})"
    elif hosts:
        why += f": ALLOWED_HOSTS does not come from DJANGO_ALLOWED_HOSTS ({_few(hosts)})"
    else:
        why += ": ALLOWED_HOSTS does not hold what DJANGO_ALLOWED_HOSTS says"
    what = f"{_pages(refused)} 400 Bad Request"
    yield Finding("hosts-refused", "error", what, why, _HOSTS, "ALLOWED_HOSTS")


def _few(items: tuple[str, ...]) -> str:
    return ", ".join(items[:3]) + (", …" if len(items) > 3 else "")


def redirects(seen: Observations) -> Iterator[Finding]:
    """Redirects end."""
    front = seen.front
    if front is None or not (300 <= front.last.status < 400 and front.last.location):
        return
    here, there = urlsplit(front.last.url), urlsplit(urljoin(front.last.url, front.last.location))
    if there.hostname == here.hostname and (here.scheme, there.scheme) == ("http", "https"):
        why = f"it redirects to {there.geturl()}, and nothing there speaks https: SECURE_SSL_REDIRECT is on"
        what = f"{front.last.url} never shows a page"
        fix = f"write SECURE_SSL_REDIRECT = {HTTPS}"
        yield Finding("https-redirect", "error", what, why, fix, "SECURE_SSL_REDIRECT")
    elif there.netloc == here.netloc:
        why = f"it redirects without end, from {front.first.url} to {there.geturl()}"
        fix = "look for a middleware or a view that redirects every request"
        yield Finding("redirect-loop", "error", f"{front.first.url} never shows a page", why, fix, "MIDDLEWARE")


def base_path(seen: Observations) -> Iterator[Finding]:
    """Links and routes agree with the path of the public URL, which ingress takes off requests."""
    front, inside = seen.front, seen.inside
    if front is None:
        return
    mend = 'write FORCE_SCRIPT_NAME = urlsplit(os.environ.get("DJANGO_BASE_URL", "")).path.rstrip("/") or None'
    shown = seen.prefix or "/"
    if inside is not None and inside.routed_below and front.last.status == 404:
        why = f"its routes begin with {inside.routed_below}/, which ingress takes off requests"
        fix = f"leave the path of DJANGO_BASE_URL out of the routes; for links {mend}"
        yield Finding("base-path", "error", f"{seen.url} is 404", why, fix, "ROOT_URLCONF")
        return
    if inside is None or inside.script_name.rstrip("/") == seen.prefix:
        return
    lost = [path for path in (*front.links, *front.files) if not _below(path, seen.prefix)]
    forced = [visit for visit in seen.visited("link", "static") if visit.last.status == 404]
    if (seen.prefix and lost) or (inside.script_name and forced):
        given = f"FORCE_SCRIPT_NAME is {inside.script_name}" if inside.script_name else "FORCE_SCRIPT_NAME is not set"
        what = f"the front page leads to {lost[0] if lost else forced[0].first.path}, where nothing is"
        why = f"{given}, but the application is served at {shown} (DJANGO_BASE_URL is {seen.url})"
        yield Finding("base-path", "warning", what, why, mend, "FORCE_SCRIPT_NAME")


def _below(path: str, prefix: str) -> bool:
    return not prefix or path == prefix or path.startswith(prefix + "/")


def static_files(seen: Observations) -> Iterator[Finding]:
    """The files that the front page names are there."""
    inside = seen.inside
    if inside is not None and inside.script_name.rstrip("/") != seen.prefix:
        return  # told by the path
    gone = [visit for visit in seen.visited("static") if visit.last.status == 404]
    if gone:
        why = "nothing serves the static files: under gunicorn Django itself does not"
        fix = "add `whitenoise` to the requirements, whitenoise.middleware.WhiteNoiseMiddleware to MIDDLEWARE after"
        fix += " SecurityMiddleware, and WHITENOISE_USE_FINDERS = True"
        what = f"{gone[0].first.path} is 404" + (f", and {len(gone) - 1} more" if len(gone) > 1 else "")
        yield Finding("static-missing", "warning", what, why, fix, "MIDDLEWARE")


def secure_cookies(seen: Observations) -> Iterator[Finding]:
    """Cookies come back."""
    if urlsplit(seen.url).scheme == "https":
        return
    sent = {
        cookie.name for visit in seen.visits for reply in visit.replies for cookie in reply.cookies if cookie.secure
    }
    names = list(seen.inside.secure_cookies) if seen.inside else []
    if sent or names:
        verb = "are" if len(names) > 1 else "is"
        on = f"{' and '.join(names)} {verb} on" if names else f"the cookie {sorted(sent)[0]} is Secure"
        why = f"{on}: browsers do not send such cookies over plain http (but to the name localhost)"
        named = names or ["SESSION_COOKIE_SECURE"]
        fix = f"write {' = '.join(named)} = {HTTPS}"
        yield Finding("secure-cookies", "warning", "a login never sticks", why, fix, named[0])


def cookie_domain(seen: Observations) -> Iterator[Finding]:
    """Cookies are for the host that the site has."""
    host = urlsplit(seen.url).hostname or ""
    settings = dict(seen.inside.cookie_domains) if seen.inside else {}
    wrong = {name: domain for name, domain in settings.items() if not belongs(domain.lstrip(".").lower(), host)}
    cookies = (cookie for visit in seen.visits for reply in visit.replies for cookie in reply.cookies)
    sent = next((cookie for cookie in cookies if not belongs(cookie.domain, host)), None)
    if wrong or sent:
        name, domain = next(iter(wrong.items())) if wrong else ("SESSION_COOKIE_DOMAIN", sent.domain if sent else "")
        why = f"cookies are for {domain} ({' and '.join(wrong) or name}), and the site is {host}: browsers drop them"
        fix = f"leave {' and '.join(wrong) or name} out: without it a cookie is for the host that sent it"
        yield Finding("cookie-domain", "warning", "a login never sticks", why, fix, name)


def csrf(seen: Observations) -> Iterator[Finding]:
    """A form of the site's own is taken."""
    forms = [visit for visit in seen.visited("login") if visit.last.status == 403]
    if not forms or any(secure_cookies(seen)) or any(cookie_domain(seen)):
        return
    where = forms[0].first
    parts = urlsplit(seen.url)
    why = "Django refuses the form" if "csrf" in where.marks else "the form is refused, most likely for its CSRF token"
    why += f": it takes another origin than {parts.scheme}://{parts.netloc} for its own"
    fix = 'write CSRF_TRUSTED_ORIGINS = json.loads(os.environ.get("DJANGO_CSRF_TRUSTED_ORIGINS", "[]")); look at'
    fix += " SECURE_PROXY_SSL_HEADER and USE_X_FORWARDED_HOST, which change what Django takes for its own"
    yield Finding("csrf", "warning", f"the form at {where.path} is 403", why, fix, "CSRF_TRUSTED_ORIGINS")


def debug(seen: Observations) -> Iterator[Finding]:
    """Errors show nothing."""
    shown = any("debug" in reply.marks for visit in seen.visits for reply in visit.replies)
    if not shown and not (seen.inside and seen.inside.debug):
        return
    if seen.debug_option:
        why, fix = "the option django-debug is on", f"nuages config {seen.application} django-debug=false"
    else:
        why = "DEBUG is on although DJANGO_DEBUG is false"
        fix = 'write DEBUG = os.environ.get("DJANGO_DEBUG", "false") == "true"'
    what = "errors show the settings and the code to every visitor"
    yield Finding("debug-on", "warning", what, why, fix, "" if seen.debug_option else "DEBUG")


def units(seen: Observations) -> Iterator[Finding]:
    """The charm is content."""
    for unit in seen.units:
        if unit.workload in ("blocked", "error"):
            named = NAMED_COMMAND.search(unit.message) if unit.workload == "blocked" else None
            mend = f"nuages {named[1]}" if named else "do what the message says"
            fix = f"{mend}; what led to it: nuages debug-log --replay --include {unit.name}"
            yield Finding(
                "unit", "error", f"{unit.name} is {unit.workload}", unit.message or "it does not say why", fix
            )


def _pages(visits: list[Visit]) -> str:
    paths = list(dict.fromkeys(visit.first.path for visit in visits))
    if len(paths) == 1:
        return f"{paths[0]} is"
    return f"{', '.join(paths[:3])}{' and more' if len(paths) > 3 else ''} are"
