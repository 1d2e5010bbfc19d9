"""What Juju, or our engine, would refuse in options and endpoints; charmcraft looks at neither."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nuages.contract.options import TYPES
from nuages.extension.load import Value
from nuages.extension.names import listed, nearest
from nuages.extension.problems import Problem
from nuages.extension.project import Project

_KEY = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]*")
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "secret": (str,),
    "int": (int,),
    "float": (int, float),
    "boolean": (bool,),
}


def _options(project: Project) -> Iterator[Problem]:
    document = project.document
    for name, entry in document.mapping("config", "options").items():
        path = ("config", "options", name)
        if not _KEY.fullmatch(name):
            yield document.problem("option", path, "this cannot be an option's name", "use letters, digits and hyphens")
        if not isinstance(entry, dict):
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


RULES = (_options, _endpoints)
