"""Rules on what rockcraft.yaml starts: schedulers, variables of services, the migration script."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from nuages.contract.endpoints import BY_NAME as INTERFACES
from nuages.contract.endpoints import prefix_of
from nuages.contract.layout import (
    MIGRATIONS,
    SCHEDULER_SUFFIX,
    STATSD_SERVICE,
    WEB_SERVICE,
)
from nuages.contract.options import variable_of
from nuages.extension.django.findings import Place
from nuages.extension.load import Document
from nuages.extension.names import nearest
from nuages.extension.problems import Problem
from nuages.extension.survey.sources import Survey

_KEYS = """name title version summary description base build-base platforms contact issues source-code license
adopt-info parts package-repositories environment run-user services checks entrypoint-service
entrypoint-command extensions"""
KEYS = frozenset(_KEYS.split())
"""Every key at the top of rockcraft.yaml, as in the schema that rockcraft publishes."""
_SERVICE_KEYS = """override command summary description startup after before requires environment user user-id group
group-id working-dir on-success on-failure on-check-failure backoff-delay backoff-factor backoff-limit kill-delay"""
SERVICE_KEYS = frozenset(_SERVICE_KEYS.split())
"""Every key of a service in it, which are those of Pebble's layers."""


def keys(survey: Survey) -> Iterator[Problem]:
    """Only keys that rockcraft knows: of any other nothing comes."""
    if survey.rock is None:
        return
    for key in survey.rock.data:
        if key not in KEYS:
            yield _unknown(survey, survey.rock, (key,), KEYS)
    for name, entry in survey.rock.mapping("services").items():
        for key in entry if isinstance(entry, dict) else ():
            if key not in SERVICE_KEYS:
                yield _unknown(survey, survey.rock, ("services", name, key), SERVICE_KEYS)


def _unknown(survey: Survey, rock: Document, path: tuple[str, ...], known: frozenset[str]) -> Problem:
    why = f"rockcraft has no such key, and refuses the file{nearest(path[-1], known)}"
    return survey.of(rock, "rock-key", path, why, "remove or rename it")


def services(survey: Survey) -> Iterator[tuple[str, list[str]]]:
    """Yield the services besides the web server, with the words of their commands."""
    entries = survey.rock.mapping("services") if survey.rock else {}
    for name, entry in entries.items():
        command = entry.get("command") if isinstance(entry, dict) else None
        if name in (WEB_SERVICE, STATSD_SERVICE) or not isinstance(command, str):
            continue
        try:
            words = shlex.split(command)
        except ValueError:
            words = command.split()
        yield name, [word for word in words if word not in ("[", "]")]


def beats(survey: Survey) -> Iterator[Problem]:
    """What starts periodic tasks runs once."""
    if survey.rock is None:
        return
    for name, words in services(survey):
        programs = [word.rpartition("/")[2] for word in words]
        beat = "celery" in programs and any(word in ("beat", "-B", "--beat") for word in words)
        if (beat or "rqscheduler" in programs) and not name.lower().endswith(SCHEDULER_SUFFIX):
            combined = "beat" not in words and beat
            yield survey.of(
                survey.rock,
                "two-beats",
                ("services", name),
                "starts periodic tasks, and runs in every unit: each task would be started once per unit",
                "take -B away and add a service whose name ends in -scheduler, with `celery ... beat`"
                if combined
                else f"call it {name.removesuffix('-worker')}-scheduler: it then runs in one unit",
            )


def variables(survey: Survey) -> Iterator[Problem]:
    """Nothing in rockcraft.yaml sets what the charm sets."""
    if survey.rock is None or survey.project.base is None:
        return
    document = survey.project.document
    own = {variable_of(name): f"option {name}" for name in document.mapping("config", "options")}
    taken = {**own, **survey.project.base.variables, "DJANGO_CSRF_TRUSTED_ORIGINS": "the public URL"}
    prefixes: dict[str, str] = {}
    for name, entry in document.mapping("requires").items():
        interface = INTERFACES.get(str(entry.get("interface"))) if isinstance(entry, dict) else None
        prefix = prefix_of(interface, name) if interface else ""
        if prefix:
            prefixes[prefix + "_"] = f"endpoint {name}"
    for service in survey.rock.mapping("services"):
        for variable in survey.rock.mapping("services", service, "environment"):
            origin = taken.get(variable) or next(
                (origin for prefix, origin in prefixes.items() if variable.startswith(prefix)), ""
            )
            if origin:
                path = ("services", service, "environment", variable)
                why = f"the charm sets it too, from {origin}: this value is never seen"
                yield survey.of(survey.rock, "shadowed-variable", path, why, "remove it here")


def migrations(survey: Survey) -> Iterator[Problem]:
    """The migration script that is there is the one that runs."""
    if survey.findings is None:
        return
    folder = survey.application
    names = [name for name in MIGRATIONS if name != "manage.py"]
    there = [name for name in names if folder + name in survey.tree]
    if folder + "migrate" in survey.tree and folder + "migrate" not in survey.executable:
        place = _first(survey, folder + "migrate")
        why = "it runs as a program, and may not be executed"
        yield survey.at("migrate-script", place, "migrate", why, f"chmod +x {survey.prefix}{folder}migrate")
    for name in there[:1]:
        why = "it runs instead of manage.py migrate; under paas-charm, the runtime that charmcraft packs, it is ignored"
        fix = "have `manage.py migrate` do the same, or silence this if only Nuages packs the charm"
        yield survey.at("migrate-script", _first(survey, folder + name), name, why, fix)
    for name in there[1:]:
        why = f"{folder}{there[0]} is there too, and comes first: this one never runs"
        yield survey.at("migrate-script", _first(survey, folder + name), name, why, "keep one of the two")
    for name in names if folder else ():
        if name in survey.tree and name not in there:
            why = f"it is not in {folder}, where the charm looks: it never runs"
            fix = f"move it to {survey.prefix}{folder}{name}"
            yield survey.at("migrate-script", _first(survey, name), name, why, fix)


def overrides(survey: Survey) -> Iterator[Problem]:
    """Each service says how it goes together with one of its name, as rockcraft's schema wants it."""
    for name, entry in survey.rock.mapping("services").items() if survey.rock else ():
        if name in (WEB_SERVICE, STATSD_SERVICE) or not isinstance(entry, dict) or survey.rock is None:
            continue
        value = entry.get("override")
        if value not in ("replace", "merge"):
            lack = f"{value!r} is neither replace nor merge" if value is not None else "has no `override:`"
            path = ("services", name) if value is None else ("services", name, "override")
            why = f"{lack}: rockcraft refuses the file"
            yield survey.of(survey.rock, "service-override", path, why, "write `override: replace` below it")


def _first(survey: Survey, file: str) -> Place:
    """Return the place of a script's first command: above it, below `#!`, there is room for a comment."""
    lines = enumerate(survey.tree.text(file).splitlines(), 1)
    return Place(file, next((number for number, line in lines if line.strip() and not line.startswith("#")), 1))


RULES = (keys, overrides, beats, variables, migrations)
