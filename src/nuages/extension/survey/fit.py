"""Rules on whether the files fit together: names, bases, versions, the database, drivers, what an endpoint says."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nuages.contract.bases import BASES
from nuages.contract.endpoints import BY_NAME as INTERFACES
from nuages.contract.endpoints import MYSQL, POSTGRESQL
from nuages.extension.django.backing import DRIVERS, WHEELS
from nuages.extension.django.findings import Requirement
from nuages.extension.django.python_version import accepts
from nuages.extension.names import listed
from nuages.extension.problems import Problem
from nuages.extension.survey.sources import Survey

NEW_DJANGO = (6, 1)
"""The first Django that needs PostgreSQL 15 or MySQL 8.4 (its release notes)."""

_BRINGS_DATABASE = re.compile(r"\bdatabase\s*=\s*True\b")
"""An interface of the charm's own that stands for a database, as `nuages.charm.Interface` has it."""

_BY_PLACE = re.compile(r"\s*(-e\b|--editable\b|\.|/|file:|git\+|https?:|[\w.-]+(\[[^\]]*\])?\s*@)")

DJANGO_PYTHONS = (((6, 0), "3.12"), ((5, 0), "3.10"))
"""Django version to the oldest Python it runs on, the newest first."""

MORE_DRIVERS = {"valkey_client": ("valkey", "redis", "django-redis", "valkey-glide"), "openfga": ("openfga-sdk",)}


def names(survey: Survey) -> Iterator[Problem]:
    """Charm and rock are called alike."""
    rock, name = survey.rock, survey.project.document.get("name")
    if rock is not None and isinstance(name, str) and rock.get("name") not in (None, name):
        yield survey.of(
            rock,
            "rock-name",
            ("name",),
            f"the rock is called {rock.get('name')}, the charm {name}",
            f"write `name: {name}`, and call the project's folder alike",
        )


def bases(survey: Survey) -> Iterator[Problem]:
    """Charm and rock have one base."""
    mine, theirs = survey.project.base, survey.rock_base
    if survey.rock is not None and mine is not None and theirs is not None and mine != theirs:
        key = "build-base" if survey.rock.get("base") == "bare" else "base"
        unlike = mine.container != theirs.container
        names = f": its container is called {theirs.container}, the charm's {mine.container}" if unlike else ""
        yield survey.of(
            survey.rock,
            "base-mismatch",
            (key,),
            f"{theirs.name}, but the charm is for {mine.name}{names}",
            f"write `{key}: {mine.name}`, or {theirs.name} in charmcraft.yaml",
            "error" if unlike else "",
        )


def pythons(survey: Survey) -> Iterator[Problem]:
    """The base's Python is new enough."""
    base = survey.rock_base or survey.project.base
    if base is None or survey.findings is None:
        return
    python = survey.findings.python
    fitting = [other.name for other in BASES if python and accepts(python.value, other.python)]
    hint = f"use {' or '.join(fitting)}" if fitting else "no base has one: ask for less"
    if python is not None and re.search(r"[<>=~^!]", python.value) and not accepts(python.value, base.python):
        why = f"{base.name} has Python {base.python}, the project asks for {python.value}"
        yield survey.at("python-version", python.place, "requires-python", why, hint)
    django = survey.findings.requirements.has("django")
    for version, oldest in DJANGO_PYTHONS:
        if django is not None and _at_least(django, version):
            if _pair(base.python) < _pair(oldest):
                why = f"Django {version[0]} runs on Python {oldest} and newer; {base.name} has {base.python}"
                fix = f"use a base with Python {oldest}, or an older Django"
                yield survey.at("python-version", django.place, django.text, why, fix)
            break


def database_versions(survey: Survey) -> Iterator[Problem]:
    """The related databases are new enough for this Django."""
    django = survey.findings.requirements.has("django") if survey.findings else None
    if django is None or not _at_least(django, NEW_DJANGO):
        return
    wanted = {POSTGRESQL.name: "PostgreSQL 15", MYSQL.name: "MySQL 8.4"}
    for name, entry in survey.project.document.mapping("requires").items():
        interface = entry.get("interface") if isinstance(entry, dict) else None
        if isinstance(interface, str) and interface in wanted:
            why = f"it needs {wanted[interface]}, endpoint {name} gets an older one from the usual charm"
            fix = "write `Django<6.1`, or deploy a database charm with the newer server"
            yield survey.at("database-version", django.place, django.text, why, fix)


def database(survey: Survey) -> Iterator[Problem]:
    """Django gets a database: one endpoint at least is for one, be it an interface that src/charm.py adds."""
    document = survey.project.document
    entries = document.mapping("requires").values()
    given = [entry.get("interface") if isinstance(entry, dict) else None for entry in entries]
    if not all(isinstance(interface, str) for interface in given):
        return  # it may be meant for one, and another rule says what is wrong with it
    databases = [interface.name for interface in INTERFACES.values() if interface.database]
    if not set(databases).intersection(map(str, given)) and not _BRINGS_DATABASE.search(survey.source):
        yield survey.of(
            document,
            "no-database",
            ("requires",),
            "no endpoint is for a database, and Django needs one",
            f"write `postgresql: {{interface: {POSTGRESQL.name}, optional: false, limit: 1}}` below `requires:`; "
            f"{listed(databases)} would do",
        )


def drivers(survey: Survey) -> Iterator[Problem]:
    """Each relation has the package that speaks to it."""
    requirements = survey.findings.requirements if survey.findings else None
    if requirements is None or requirements.kind == "none":
        return
    for name, entry in survey.project.document.mapping("requires").items():
        interface = entry.get("interface") if isinstance(entry, dict) else None
        known = (DRIVERS.get(interface) or MORE_DRIVERS.get(interface)) if isinstance(interface, str) else None
        if not isinstance(interface, str) or known is None or requirements.has(*known):
            continue
        add = WHEELS.get(interface, known[0])
        needed = isinstance(entry, dict) and entry.get("optional") is not True
        database = needed and interface in INTERFACES and INTERFACES[interface].database
        yield survey.of(
            survey.project.document,
            "missing-driver",
            ("requires", name),
            f"{survey.prefix}{requirements.file} has no package that speaks {interface}",
            f"add `{add}` to it ({listed(known)} would do)" if len(known) > 1 else f"add `{add}` to it",
            "error" if database and not opaque(survey) else "",
        )


def opaque(survey: Survey) -> bool:
    """Whether the requirements name something by path or address, which may bring anything along."""
    files = survey.findings.requirements.files if survey.findings else ()
    return any(_BY_PLACE.match(line) for file in files for line in survey.tree.text(file).splitlines())


def optional(survey: Survey) -> Iterator[Problem]:
    """Each endpoint says whether the application can do without it."""
    for name, entry in survey.project.document.mapping("requires").items():
        if not isinstance(entry, dict) or "optional" in entry or entry.get("interface") not in INTERFACES:
            continue
        interface = INTERFACES[str(entry["interface"])]
        if not interface.contributed:
            yield survey.of(
                survey.project.document,
                "optional-missing",
                ("requires", name),
                "does not say `optional:`, which means that the application waits for it",
                "write `optional: false` if it should wait, else `optional: true`",
            )


def parts(survey: Survey) -> Iterator[Problem]:
    """Parts of the user's own are charmcraft's business."""
    for name in survey.project.document.mapping("parts"):
        if name != "charm":
            yield survey.of(
                survey.project.document,
                "parts-not-built",
                ("parts", name),
                "`nuages pack` does not build this part; charmcraft does",
                "put what the charm needs into src/, lib/ or templates/",
            )


def _at_least(requirement: Requirement, version: tuple[int, int]) -> bool:
    """Whether a requirement allows nothing older than `version`."""
    found = re.findall(r"(===?|~=|>=|>)\s*(\d+)(?:\.(\d+))?", requirement.text.partition(";")[0])
    return any((int(major), int(minor or 0)) >= version for _, major, minor in found)


def _pair(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)


RULES = (names, bases, pythons, database, database_versions, drivers, optional, parts)
