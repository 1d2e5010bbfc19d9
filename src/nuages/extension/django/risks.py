"""Why a project as it is would not run as a site should: SQLite, debug, a public key, hosts, static files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from nuages.contract.endpoints import Interface
from nuages.extension.django.aliases import aliases
from nuages.extension.django.backing import engine_of
from nuages.extension.django.findings import Place, Read, Remark, Settings, StaticFiles

_FALSE = ("", "0", "false", "no", "off", "f", "n", "none")
_BRIDGE = "nuages init --settings"


def find_risks(settings: Settings | None, database: Interface, static: StaticFiles) -> Iterator[Remark]:
    """Yield what must be mended before anybody calls the project ready."""
    if settings is None:
        return
    told_elsewhere = settings.hook is not None and not settings.hook.exists
    replaced = {alias.read.name for alias in aliases(settings, database) if alias.replaces}
    if not told_elsewhere or "DATABASES" in settings.places:
        yield from _database(settings, database)
    yield from _debug(settings)
    yield from _key(settings)
    if not told_elsewhere or "ALLOWED_HOSTS" in settings.places:
        yield from _hosts(settings, replaced)
    yield from _redirect(settings)
    place = static.place or Place(settings.file)
    if not static.served:
        yield Remark("risk", "static", "nothing serves the static files under gunicorn", place, _BRIDGE, bridged=True)
    elif static.manifest:
        text = "every page is 500 until collectstatic has run: the storage looks files up in its manifest"
        yield Remark("risk", "manifest", text, place, _BRIDGE, bridged=True)


def reads_charm(settings: Settings, database: Interface) -> bool:
    """Whether DATABASES is made from the charm's variables: one of its own names, or the test for one."""
    prefixes = tuple({database.prefix + "_", "POSTGRESQL_DB_", "MYSQL_DB_", "MONGODB_DB_"})
    return any(read.name.startswith(prefixes) for read in settings.reads)


def _database(settings: Settings, database: Interface) -> Iterator[Remark]:
    if reads_charm(settings, database):
        return
    place = settings.places.get("DATABASES", Place(settings.file))
    reads = [read for read in settings.reads if read.setting == "DATABASES" or read.kind == "database-url"]
    sqlite = next((read for read in reads if (read.default or "").startswith("sqlite")), None)
    if sqlite is not None:
        text = f"SQLite in silence: {sqlite.name}, which the charm does not set, falls back to it"
        yield Remark("risk", "sqlite", text, sqlite.place, _BRIDGE, bridged=True)
    elif "sqlite" in engine_of(settings) or ("DATABASES" not in settings.places and not reads):
        text = "SQLite: its file is lost with the container, and every unit has its own"
        yield Remark("risk", "sqlite", text, place, _BRIDGE, bridged=True)
    else:
        names = ", ".join(dict.fromkeys(read.name for read in reads if read.name)) or "no variable"
        text = f"the database comes from {names}, not from the charm's {database.prefix}_*"
        yield Remark("risk", "database", text, place, _BRIDGE, bridged=True)


def _debug(settings: Settings) -> Iterator[Remark]:
    value = settings.literals.get("DEBUG")
    place = settings.places.get("DEBUG", Place(settings.file))
    reads = settings.reading("DEBUG")
    if value is True:
        yield Remark(
            "risk", "debug", "debug mode is on: visitors see source and settings", place, _BRIDGE, bridged=True
        )
    for read in reads:
        if read.name == "DJANGO_DEBUG":
            continue
        if read.default is not None and read.default.lower() not in _FALSE:
            text = f"debug mode is on unless {read.name} is set, which the charm does not do"
            yield Remark("risk", "debug", text, read.place, _BRIDGE, bridged=True)


def _key(settings: Settings) -> Iterator[Remark]:
    place = settings.places.get("SECRET_KEY", Place(settings.file))
    reads = settings.reading("SECRET_KEY")
    if any(read.name == "DJANGO_SECRET_KEY" for read in reads):
        return
    if isinstance(settings.literals.get("SECRET_KEY"), str):
        yield Remark(
            "risk",
            "public-key",
            "the secret key is in the source: anybody can sign sessions",
            place,
            _BRIDGE,
            bridged=True,
        )
        if "SECRET_KEY" in settings.used:
            text = "settings are made from the secret key where it is written out: the bridge cannot replace them"
            yield Remark(
                "decide", "key-used", text, place, 'write SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", ...) there'
            )
    elif reads:
        read = reads[0]
        public = read.default not in (None, "", "...")
        text = f"the secret key comes from {read.name}, which the charm does not set" + (
            ": its default is in the source" if public else ""
        )
        yield Remark("risk", "public-key" if public else "key", text, read.place, _BRIDGE, bridged=True)
    elif settings.hook is None:
        text = "the secret key is made in a way that cannot be read here: it may differ between units, or be public"
        yield Remark("risk", "key", text, place, _BRIDGE, bridged=True)


def _hosts(settings: Settings, replaced: set[str]) -> Iterator[Remark]:
    place = settings.places.get("ALLOWED_HOSTS", Place(settings.file))
    if "DJANGO_ALLOWED_HOSTS" in replaced:
        text = "DJANGO_ALLOWED_HOSTS is a JSON list, which the settings read in another format: every page is 400"
        yield Remark(
            "risk", "hosts-format", text, _first(settings, "DJANGO_ALLOWED_HOSTS", place), _BRIDGE, bridged=True
        )
    if "DJANGO_DEBUG" in replaced:
        text = "DJANGO_DEBUG is true or false, which the settings read in another format"
        yield Remark("risk", "debug-format", text, _first(settings, "DJANGO_DEBUG", place), _BRIDGE, bridged=True)
    reads = settings.reading("ALLOWED_HOSTS")
    if any(read.name == "DJANGO_ALLOWED_HOSTS" for read in reads):
        return
    value = settings.literals.get("ALLOWED_HOSTS")
    hosts = [str(item) for item in cast("list[object]", value)] if isinstance(value, list) else []
    if "*" in hosts:
        yield Remark("note", "any-host", "the site answers to any host name", place, _BRIDGE, bridged=True)
    elif reads or "ALLOWED_HOSTS" not in settings.places or isinstance(value, list):
        source = f"come from {reads[0].name}" if reads else "are written out"
        text = f"the allowed hosts {source}: the public one is not among them, every page is 400"
        yield Remark("risk", "hosts", text, reads[0].place if reads else place, _BRIDGE, bridged=True)


def _redirect(settings: Settings) -> Iterator[Remark]:
    reads = settings.reading("SECURE_SSL_REDIRECT")
    on = settings.literals.get("SECURE_SSL_REDIRECT") is True
    on = on or any(read.default is not None and read.default.lower() not in _FALSE for read in reads)
    if on:
        text = "every page redirects to https, for ever where ingress has no TLS"
        yield Remark("risk", "https-redirect", text, settings.places["SECURE_SSL_REDIRECT"], _BRIDGE, bridged=True)


def _first(settings: Settings, name: str, otherwise: Place) -> Place:
    return next((read.place for read in settings.reads if read.name == name and not _test(read)), otherwise)


def _test(read: Read) -> bool:
    return not read.setting


def signs_of_debugging(settings: Settings) -> bool:
    """Whether the module's own name says that it is not for production."""
    return bool(re.search(r"(^|[._])(dev|development|local|debug|test|testing)$", settings.module))
