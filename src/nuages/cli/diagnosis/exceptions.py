"""Findings from what was raised: on pages, when the application loads, in its services. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from nuages.cli.diagnosis import failures
from nuages.cli.diagnosis.failures import PACKAGES, Server
from nuages.cli.diagnosis.findings import Finding, Severity
from nuages.cli.diagnosis.observations import Observations, Raised, Visit
from nuages.contract import layout
from nuages.contract.endpoints import prefix_of
from nuages.services import PROVIDES

_GATEWAY = (502, 503, 504)


def static_manifest(seen: Observations) -> Iterator[Finding]:
    """Pages that name a static file which is in no manifest."""
    for raised in _of(seen, static_manifest)[:1]:
        entry = failures.missing_entry(raised)
        why = f"{entry} is in no manifest: collectstatic has not run in the rock"
        fix = (
            "add it to the rock's parts (`python3 manage.py collectstatic --noinput`), or write STORAGES with"
            " django.contrib.staticfiles.storage.StaticFilesStorage and WHITENOISE_USE_FINDERS = True, which need none"
        )
        yield Finding("static-manifest", _severity(raised, seen), _what(raised, seen), why, fix, "STORAGES")


def not_installed(seen: Observations) -> Iterator[Finding]:
    """Modules that no requirement brings."""
    told: set[str] = set()
    for raised in _of(seen, not_installed):
        module = failures.missing_module(raised, seen)
        if module in told:
            continue
        told.add(module)
        top = module.partition(".")[0]
        package = PACKAGES.get(top, top.replace("_", "-"))
        why = f"the module {module} is not installed"
        fix = f"add `{package}` to the requirements"
        at = _place(raised)
        yield Finding("not-installed", _severity(raised, seen), _what(raised, seen), why, fix, "INSTALLED_APPS", *at)


def not_related(seen: Observations) -> Iterator[Finding]:
    """Servers that are not where the settings say."""
    told: set[str] = set()
    for raised in _of(seen, not_related):
        found = failures.refused(raised, seen)
        if found is None or (found[1] or str(found[0])) in told:
            continue
        told.add(found[1] or str(found[0]))
        setting = next((key for key, url in _servers(seen) if found[1] and found[1] in url), "")
        at = ("", 0) if setting else _place(raised)
        why, fix = _absent(*found, seen)
        yield Finding(
            "not-related", _severity(raised, seen), _what(raised, seen), why, fix, setting or _setting(found[0]), *at
        )
    for setting, url in seen.inside.unreachable if seen.inside else ():
        address = urlsplit(url).netloc.replace("127.0.0.1", "localhost")
        brokers = setting != "CACHES"
        if address in told or (brokers and not seen.services):
            continue
        told.add(address)
        why, fix = _absent(failures.server_of(url), address, seen)
        what = f"{' and '.join(seen.services)} can do no work" if brokers else "nothing is cached"
        yield Finding("not-related", "warning", what, why, fix, setting)


def _setting(server: Server | None) -> str:
    """Return the setting in which such a server usually is."""
    if server is None or not server.interfaces:
        return "CACHES"
    return "DATABASES" if server.interfaces[0].database else "CACHES" if server.name == "Redis" else ""


def _servers(seen: Observations) -> tuple[tuple[str, str], ...]:
    return seen.inside.services if seen.inside else ()


def _absent(server: Server | None, address: str, seen: Observations) -> tuple[str, str]:
    """Return why a server does not answer at an address, and the mend."""
    name = server.name if server else "a server"
    why = f"{name} is not {f'at {address}' if address else 'where the settings say'}"
    if address.partition(":")[0] in ("localhost", "127.0.0.1"):
        why += ", which is the application's own container"
    more, fix = _relation(server, seen)
    return why + more, fix


def _relation(server: Server | None, seen: Observations) -> tuple[str, str]:
    """Return what the charm says of such a server, and what to do."""
    if server is None or not server.interfaces:
        return "", "run it elsewhere and let the settings read its address from an option of the charm"
    wanted = {interface.name: interface for interface in server.interfaces}
    usual = server.interfaces[0]
    declared = next(((name, wanted[kind]) for name, kind in seen.endpoints if kind in wanted), None)
    if declared is None:
        reads = f"let the settings read {prefix_of(usual, usual.endpoint)}_CONNECT_STRING"
        return (
            f"; the charm has no endpoint for {server.name}",
            f"add `{usual.endpoint}: {{interface: {usual.name}, optional: false}}` below `requires:` in"
            f" charmcraft.yaml, then nuages up, and {reads}",
        )
    endpoint, interface = declared
    reads = f"let the settings read {prefix_of(interface, endpoint)}_CONNECT_STRING"
    if endpoint in seen.related:
        return f"; {endpoint} is related, but the settings do not use it", reads
    provider = next((name for name, offered in PROVIDES.items() if interface.name in offered.values()), "")
    side = next((f":{key}" for key, speaks in PROVIDES.get(provider, {}).items() if speaks == interface.name), "")
    integrate = f"nuages integrate {seen.application}:{endpoint} {provider or 'APPLICATION'}{side}"
    fix = f"nuages deploy {provider}, then {integrate}, and {reads}" if provider else f"{integrate}, and {reads}"
    return f"; {endpoint} is not related", fix


def not_migrated(seen: Observations) -> Iterator[Finding]:
    """Tables and columns that no migration made."""
    for raised in _of(seen, not_migrated)[:1]:
        table = failures.missing_table(raised)
        why = f"the database has no {table}: no migration makes it"
        fix = "python3 manage.py makemigrations, then nuages up: the charm runs the migrations"
        yield Finding("not-migrated", _severity(raised, seen), _what(raised, seen), why, fix, "", *_place(raised))


def page_fails(seen: Observations) -> Iterator[Finding]:
    """Anything else that is raised, and pages that fail without a word."""
    for raised in _of(seen, page_fails)[:3]:
        why = f"{raised.type}: {raised.text}" if raised.text else raised.type
        where = f"--service {raised.service} " if raised.service else ""
        mend = "mend that line" if _place(raised)[0] else "mend what it says"
        fix = f"{mend}; the whole traceback, if it is logged: nuages logs {where}{seen.application}"
        code = "service-fails" if _worker(raised) else "page-fails" if raised.path or raised.service else "not-loading"
        yield Finding(code, _severity(raised, seen), _what(raised, seen), why, fix, "", *_place(raised))
    known = {raised.path for raised in _all(seen)}
    silent = [visit for visit in _failing(seen) if _inner(visit, seen) not in known and seen.inside is not None]
    if silent or (_failing(seen) and not _all(seen)):
        visit = (silent or _failing(seen))[0]
        why = f"it answers {visit.last.status}, and nothing says why: without DEBUG, Django logs to nobody"
        fix = f"give the settings a LOGGING that prints; then nuages logs {seen.application} has the traceback"
        severity: Severity = "error" if visit.role == "front" else "warning"
        yield Finding("page-fails", severity, f"{visit.first.path} is {visit.last.status}", why, fix, "LOGGING")


def raised_anywhere(seen: Observations) -> bool:
    """Whether anything was raised by the web server's own code."""
    return any(not _worker(raised) for raised in _all(seen))


def _all(seen: Observations) -> tuple[Raised, ...]:
    inside = seen.inside.raised if seen.inside else ()
    logged = failures.printed(seen.lines)
    # What the web server raises is told better from inside; nothing else tells what other services raise.
    return (*inside, *(raised for raised in logged if _worker(raised) or (seen.inside is None and _failing(seen))))


def _kind(raised: Raised, seen: Observations) -> Callable[[Observations], Iterator[Finding]]:
    if failures.missing_entry(raised):
        return static_manifest
    if failures.missing_module(raised, seen):
        return not_installed
    if failures.refused(raised, seen):
        return not_related
    return not_migrated if failures.missing_table(raised) else page_fails


def _of(seen: Observations, kind: Callable[[Observations], Iterator[Finding]]) -> list[Raised]:
    """Return what was raised of one kind, each once."""
    found: dict[tuple[str, str, str, int], Raised] = {}
    for raised in _all(seen):
        if _kind(raised, seen) is kind:
            found.setdefault((raised.type, raised.text, raised.file, raised.line), raised)
    return list(found.values())


def _worker(raised: Raised) -> bool:
    return raised.service not in ("", layout.WEB_SERVICE)


def _failing(seen: Observations) -> list[Visit]:
    roles = seen.visited("front", "link", "login", "missing")
    return [visit for visit in roles if visit.last.status >= 500 and visit.last.status not in _GATEWAY]


def _inner(visit: Visit, seen: Observations) -> str:
    """Return the path of a visit's last page as the application sees it."""
    return inner_path(visit.last.url, seen.prefix)


def inner_path(url: str, prefix: str) -> str:
    """Return the path and query of a URL without the prefix that ingress takes off."""
    parts = urlsplit(url)
    return (parts.path.removeprefix(prefix) or "/") + (f"?{parts.query}" if parts.query else "")


def _severity(raised: Raised, seen: Observations) -> Severity:
    front = seen.front
    if _worker(raised):
        return "warning"
    if not raised.path:
        return "error"
    return "error" if front is None or _inner(front, seen) == raised.path else "warning"


def _what(raised: Raised, seen: Observations) -> str:
    if _worker(raised):
        return f"the service {raised.service} does not work"
    failing = list(dict.fromkeys(visit.first.path for visit in _failing(seen)))
    if not failing:
        return "the application does not load" if not raised.path else f"{raised.path} is 500"
    well = [visit.first.path for visit in seen.visited("health") if visit.last.status == 200]
    pages = (
        f"{', '.join(failing[:3])}{' and more' if len(failing) > 3 else ''} {'is' if len(failing) == 1 else 'are'} 500"
    )
    return pages + (f", though {well[0]} is 200" if well else "")


def _place(raised: Raised) -> tuple[str, int]:
    return raised.file, raised.line
