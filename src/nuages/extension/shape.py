"""Rules about the shape of charmcraft.yaml: what every other rule relies on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nuages.contract.bases import EXTENSION
from nuages.contract.options import TYPES
from nuages.extension.load import Value
from nuages.extension.names import listed, nearest
from nuages.extension.problems import Problem
from nuages.extension.project import Project

TEXTS = ("name", "type", "title", "summary", "description", "base", "build-base", "charm-user")
MAPPINGS = (
    ("actions",),
    ("charmhub",),
    ("config",),
    ("config", "options"),
    ("containers",),
    ("devices",),
    ("extra-bindings",),
    ("links",),
    ("parts",),
    ("peers",),
    ("platforms",),
    ("provides",),
    ("requires",),
    ("resources",),
    ("storage",),
)
LISTS = ("bases", "charm-libs", "extensions", "assumes", "terms")
OTHERS = (
    "adopt-info",
    "analysis",
    "contact",
    "issues",
    "license",
    "package-repositories",
    "source-code",
    "subordinate",
    "version",
    "website",
)
KNOWN = (*TEXTS, *(path[0] for path in MAPPINGS if len(path) == 1), *LISTS, *OTHERS)
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_KEY = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]*")
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "secret": (str,),
    "int": (int,),
    "float": (int, float),
    "boolean": (bool,),
}


def _known_keys(project: Project) -> Iterator[Problem]:
    for key in project.document.data:
        if key not in KNOWN:
            yield project.document.problem(
                "unknown-key", (key,), f"unknown{nearest(key, KNOWN)}", "remove or rename it"
            )


def _kinds(project: Project) -> Iterator[Problem]:
    document = project.document
    for key in TEXTS:
        if document.get(key) is not None and not isinstance(document.get(key), str):
            yield document.problem("not-text", (key,), "is not text", f'put it in quotes: `{key}: "..."`')
    for path in MAPPINGS:
        value = document.get(*path)
        if value is not None and not isinstance(value, dict):
            yield document.problem("not-mapping", path, "is not a mapping", "write indented `name: ...` lines below it")
    for key in LISTS:
        if document.get(key) is not None and not isinstance(document.get(key), list):
            yield document.problem("not-list", (key,), "is not a list", "write `- item` lines below it")


def _name(project: Project) -> Iterator[Problem]:
    name = project.document.get("name")
    if name is None:
        yield project.document.problem("name", ("name",), "is missing", "write `name:` and the charm's name")
    elif isinstance(name, str) and not _NAME.fullmatch(name):
        yield project.document.problem(
            "name", ("name",), f"{name!r} cannot be a charm's name", "use lower-case letters, digits and single hyphens"
        )


def _extensions(project: Project) -> Iterator[Problem]:
    extensions = project.document.get("extensions")
    for index, name in enumerate(extensions if isinstance(extensions, list) else []):
        if name != EXTENSION:
            hint = nearest(name, [EXTENSION]) if isinstance(name, str) else ""
            yield project.document.problem(
                "unknown-extension", ("extensions", index), f"unknown extension {name!r}{hint}", f"use {EXTENSION}"
            )


def _options(project: Project) -> Iterator[Problem]:
    document = project.document
    for name, entry in document.mapping("config", "options").items():
        path = ("config", "options", name)
        if not _KEY.fullmatch(name):
            yield document.problem("option", path, "this cannot be an option's name", "use letters, digits and hyphens")
        if not isinstance(entry, dict):
            yield document.problem("option", path, "is not a mapping", "write at least `type: string` below it")
            continue
        kind, default = entry.get("type"), entry.get("default")
        if not isinstance(kind, str) or kind not in TYPES:
            why = "has no type" if kind is None else f"unknown type {kind!r}{nearest(str(kind), TYPES)}"
            yield document.problem("option", (*path, "type"), why, f"write `type:` and one of {listed(TYPES)}")
        elif default is not None and not _fits(default, kind):
            yield document.problem(
                "option", (*path, "default"), f"{default!r} is no {kind}", "correct the default or the type"
            )
        if not isinstance(entry.get("optional", True), bool):
            yield document.problem("option", (*path, "optional"), "is neither true nor false", "write true or false")


def _fits(value: Value, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _PYTHON_TYPES[kind])


def _endpoints(project: Project) -> Iterator[Problem]:
    document = project.document
    seen: dict[str, str] = {}
    for role in ("requires", "provides", "peers"):
        for name, entry in document.mapping(role).items():
            interface = entry.get("interface") if isinstance(entry, dict) else None
            if not isinstance(interface, str):
                yield document.problem(
                    "endpoint", (role, name), "names no interface", "write `interface: ...` below it"
                )
            if name in seen:
                yield document.problem(
                    "endpoint", (role, name), f"{seen[name]} has an endpoint of this name too", "rename one of the two"
                )
            seen[name] = role
            limit = entry.get("limit") if isinstance(entry, dict) else None
            if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
                yield document.problem(
                    "endpoint", (role, name, "limit"), f"{limit!r} is no number of relations", "write 1"
                )
            optional = entry.get("optional") if isinstance(entry, dict) else None
            if optional is not None and not isinstance(optional, bool):
                yield document.problem(
                    "endpoint", (role, name, "optional"), "is neither true nor false", "write true or false"
                )


def _bases(project: Project) -> Iterator[Problem]:
    document = project.document
    bases = document.get("bases")
    for index, entry in enumerate(bases if isinstance(bases, list) else []):
        inner: list[Value] = [entry]
        if isinstance(entry, dict) and ("build-on" in entry or "run-on" in entry):
            inner = [item for key in ("build-on", "run-on") if key in entry for item in _items(entry[key])]
        for item in inner:
            channel = item.get("channel") if isinstance(item, dict) else None
            if not isinstance(item, dict) or not isinstance(item.get("name"), str) or not isinstance(channel, str):
                yield document.problem(
                    "bases", ("bases", index), "is no base", 'write `name: ubuntu` and `channel: "24.04"`, in quotes'
                )
                break


def _items(value: Value) -> list[Value]:
    return value if isinstance(value, list) and value else [None]


def _platforms(project: Project) -> Iterator[Problem]:
    document = project.document
    for label, entry in document.mapping("platforms").items():
        if entry is None:
            continue
        if not isinstance(entry, dict):
            yield document.problem("platform", ("platforms", label), "is not a mapping", f"write `{label}:` alone")
            continue
        for key, value in entry.items():
            items = value if isinstance(value, list) else [value]
            if key not in ("build-on", "build-for"):
                yield document.problem("platform", ("platforms", label, key), "unknown", "use build-on and build-for")
            elif not items or not all(isinstance(item, str) for item in items):
                yield document.problem(
                    "platform", ("platforms", label, key), "names no architecture", f"write `{key}: [amd64]`"
                )


RULES = (_known_keys, _kinds, _name, _extensions, _options, _endpoints, _bases, _platforms)
