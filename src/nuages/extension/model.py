"""The rules of charmcraft.yaml itself, whatever the extension: which keys there are and what each may hold.

Facts from charmcraft 4.5.0 (its schema, and what it accepts and refuses when it is run: tests/extension/comparison).
Every other rule relies on these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from nuages.extension.load import Date, Path, Value
from nuages.extension.names import listed, nearest
from nuages.extension.problems import Problem
from nuages.extension.project import Project

Reason = tuple[str, str]
"""What is wrong, how to mend it."""

_TEXT_FIX = "write text, in quotes if it looks like something else"
_NAME = re.compile(r"([a-z0-9][a-z0-9-]?)*[a-z]+([a-z0-9-]?[a-z0-9])*")
_PLAIN_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VERSION = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9:.+~-]*[a-zA-Z0-9+~])?")
_LIBRARY = re.compile(r"[a-z0-9_-]+\.[a-z0-9_]+")
_LIBRARY_START = re.compile(r"[a-z][a-z0-9_-]+\.[a-z][a-z0-9_]+")
_URL = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
USERS = ("root", "sudoer", "non-root")
ATTRIBUTES = ("language", "framework")
LINTERS = (
    "juju-actions",
    "juju-config",
    "metadata",
    "naming-conventions",
    "entrypoint",
    "ops-main-call",
    "additional-files",
    "pip-check",
    "pydeps",
)
LINKS = ("contact", "documentation", "issues", "source", "website")


def is_text(value: Value) -> bool:
    """Whether charmcraft takes `value` for text: numbers count, dates and booleans do not."""
    return (isinstance(value, str) and not isinstance(value, Date)) or _is_number(value)


def as_text(value: Value) -> str:
    """Return the text that charmcraft makes of such a value."""
    return str(value)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(low: int = 0, high: int = 0) -> Callable[[Value], Reason | None]:
    def check(value: Value) -> Reason | None:
        if not is_text(value):
            return "is not text", _TEXT_FIX
        size = len(as_text(value))
        if size < low:
            return f"has {size} characters, at least {low} are needed", "write more"
        if high and size > high:
            return f"has {size} characters, at most {high} are allowed", "write less; the description has room"
        return None

    return check


def _name(value: Value) -> Reason | None:
    fix = "use lower-case letters, digits and single hyphens, with at least one letter"
    if not is_text(value):
        return "is not text", fix
    text = as_text(value)
    if len(text) > 40:
        return f"{text!r} has {len(text)} characters, at most 40 are allowed", "shorten it"
    # The first expression alone says so for short texts only: it takes for ever on long ones that do not match.
    if not _PLAIN_NAME.fullmatch(text) or not any(character.isalpha() for character in text):
        return f"{text!r} cannot be a charm's name", fix
    return None


def _version(value: Value) -> Reason | None:
    text = as_text(value)
    if not is_text(value) or not _VERSION.fullmatch(text) or len(text) > 32:
        return f"{text[:40]!r} is no version", 'write letters, digits and `.:+~-` in quotes: `"1.0"`'
    return None


def _one_of(*known: str) -> Callable[[Value], Reason | None]:
    def check(value: Value) -> Reason | None:
        if isinstance(value, str) and value in known:
            return None
        hint = nearest(value, known) if isinstance(value, str) else ""
        return f"{value!r} is not allowed here{hint}", f"write {listed(known[:-1])} or {known[-1]}"

    return check


def _truth(value: Value) -> Reason | None:
    words = ("0", "off", "f", "false", "n", "no", "1", "on", "t", "true", "y", "yes")
    if isinstance(value, bool) or value in (0, 1) or (isinstance(value, str) and value.lower() in words):
        return None
    return "is neither true nor false", "write true or false"


def _part_name(value: Value) -> Reason | None:
    """What charmcraft takes as it stands: elsewhere it makes text of a number."""
    return None if isinstance(value, str) else ("is not text", _TEXT_FIX)


def _texts(value: Value) -> Reason | None:
    if not isinstance(value, list) or not all(is_text(item) for item in value):
        return "is not a list of texts", "write `- item` lines below it"
    return None


def _list(value: Value) -> Reason | None:
    return None if isinstance(value, list) else ("is not a list", "write `- item` lines below it")


def _mapping(value: Value) -> Reason | None:
    return None if isinstance(value, dict) else ("is not a mapping", "write indented `name: ...` lines below it")


def _empty_or_mapping(value: Value) -> Reason | None:
    """What the extension fills in: anything empty is as good as nothing."""
    return None if not value else _mapping(value)


def _retired(instead: str) -> Callable[[Value], Reason | None]:
    return lambda value: (f"charmcraft takes no value here; {instead}", "remove it")


class Field(NamedTuple):
    """One key at the top of charmcraft.yaml."""

    code: str
    check: Callable[[Value], Reason | None]
    nullable: bool = True
    required: str = ""
    """What to write when it is missing; "" when it may be."""


FIELDS: dict[str, Field] = {
    "actions": Field("not-mapping", _empty_or_mapping),
    "adopt-info": Field("not-text", _part_name),
    "analysis": Field("analysis", _mapping, nullable=False),
    "assumes": Field("not-list", _list, nullable=False),
    "base": Field("not-text", _text()),
    "bases": Field("not-list", _list, nullable=False),
    "build-base": Field("not-text", _text()),
    "charm-libs": Field("charm-libs", _list, nullable=False),
    "charm-user": Field("charm-user", _one_of(*USERS)),
    "charmhub": Field("not-mapping", _mapping),
    "config": Field("not-mapping", _mapping, nullable=False),
    "contact": Field("retired-key", _retired("it is `contact` below `links`")),
    "containers": Field("not-mapping", _mapping, nullable=False),
    "description": Field("not-text", _text(), nullable=False, required="`description:` and a paragraph on the charm"),
    "devices": Field("not-mapping", _mapping),
    "extensions": Field("not-list", _list),
    "extra-bindings": Field("not-mapping", _mapping),
    "issues": Field("retired-key", _retired("it is `issues` below `links`")),
    "license": Field("retired-key", _retired("the licence is the file LICENSE in the charm's folder")),
    "links": Field("links", _mapping),
    "name": Field("name", _name, nullable=False, required="`name:` and the charm's name"),
    "package-repositories": Field("not-list", _list),
    "parts": Field("not-mapping", _mapping, nullable=False),
    "peers": Field("not-mapping", _mapping, nullable=False),
    "platforms": Field("not-mapping", _mapping, nullable=False),
    "provides": Field("not-mapping", _empty_or_mapping),
    "requires": Field("not-mapping", _mapping, nullable=False),
    "resources": Field("not-mapping", _mapping, nullable=False),
    "source-code": Field("retired-key", _retired("it is `source` below `links`")),
    "storage": Field("not-mapping", _mapping),
    "subordinate": Field("not-boolean", _truth),
    "summary": Field("text-length", _text(high=200), nullable=False, required="`summary:` and one line on the charm"),
    "terms": Field("not-list", _texts),
    "title": Field("text-length", _text(2, 40)),
    "type": Field("not-text", _text()),
    "version": Field("version", _version),
}
"""Every key at the top of charmcraft.yaml."""


def _unknown(project: Project) -> Iterator[Problem]:
    for key in project.document.data:
        if key not in FIELDS:
            hint = nearest(key, FIELDS)
            yield project.document.problem("unknown-key", (key,), f"unknown{hint}", "remove or rename it")


def _fields(project: Project) -> Iterator[Problem]:
    document = project.document
    for key, field in FIELDS.items():
        value = document.get(key)
        if value is None:
            if key in document.data and not field.nullable:
                yield document.problem("empty-key", (key,), "has no value", "write one, or remove the key")
            elif key not in document.data and field.required and key not in project.metadata:
                yield document.problem("missing-key", (key,), "is missing", f"write {field.required}")
            continue
        if reason := field.check(value):
            code = "not-text" if reason[0] == "is not text" else field.code
            yield document.problem(code, (key,), *reason)


def _metadata(project: Project) -> Iterator[Problem]:
    for key in project.metadata:
        if key in project.document.data:
            yield project.document.problem(
                "second-file", (key,), "metadata.yaml has this key too", "keep it here and remove metadata.yaml"
            )
    for file, key in (("config.yaml", "config"), ("actions.yaml", "actions")):
        if file in project.files and (project.extended or key in project.document.data):
            yield project.document.problem(
                "second-file",
                (key,),
                f"{file} beside charmcraft.yaml is a second place for `{key}:`",
                f"move what {file} holds below `{key}:` and remove the file",
            )


def _links(project: Project) -> Iterator[Problem]:
    document = project.document
    for name, value in document.mapping("links").items():
        path: Path = ("links", name)
        if name not in LINKS:
            yield document.problem(
                "links", path, f"unknown{nearest(name, LINKS)}", f"use {listed(LINKS[:-1])} or {LINKS[-1]}"
            )
            continue
        many = isinstance(value, list) and name != "documentation"
        items = value if isinstance(value, list) and many else [value]
        for index, item in enumerate(items):
            place = (*path, index) if many else path
            if item is None and not many:
                continue
            if name == "contact":
                if not isinstance(item, str) or isinstance(item, Date):
                    yield document.problem("links", place, "is not text", _TEXT_FIX)
            elif not isinstance(item, str) or not _URL.fullmatch(item.strip()):
                yield document.problem("links", place, f"{item!r} is no URL", "write one that begins with https://")


def _analysis(project: Project) -> Iterator[Problem]:
    document = project.document
    known = {"attributes": ATTRIBUTES, "linters": LINTERS}
    for key in document.mapping("analysis"):
        if key != "ignore":
            yield document.problem("analysis", ("analysis", key), f"unknown{nearest(key, ['ignore'])}", "use `ignore:`")
    ignore = document.get("analysis", "ignore")
    if "ignore" in document.mapping("analysis") and not isinstance(ignore, dict):
        yield document.problem("analysis", ("analysis", "ignore"), "is not a mapping", "write `linters:` below it")
    for key, value in document.mapping("analysis", "ignore").items():
        path: Path = ("analysis", "ignore", key)
        if key not in known:
            yield document.problem(
                "analysis", path, f"unknown{nearest(key, known)}", "use `attributes:` and `linters:`"
            )
            continue
        if not isinstance(value, list):
            yield document.problem("analysis", path, "is not a list", "write `- name` lines below it")
            continue
        for index, item in enumerate(value):
            if item not in known[key]:
                hint = nearest(str(item), known[key])
                yield document.problem(
                    "analysis", (*path, index), f"{item!r} is unknown{hint}", f"use {listed(known[key])}"
                )


def _libraries(project: Project) -> Iterator[Problem]:
    document = project.document
    libraries = document.get("charm-libs")
    for index, entry in enumerate(libraries if isinstance(libraries, list) else []):
        path: Path = ("charm-libs", index)
        fix = 'write `- lib: charm-name.library` and `version: "1"`, in quotes'
        if not isinstance(entry, dict) or set(entry) != {"lib", "version"}:
            yield document.problem("charm-libs", path, "has not exactly the keys lib and version", fix)
            continue
        library, version = entry["lib"], entry["version"]
        normal = as_text(library).replace("_", "-", as_text(library).partition(".")[0].count("_"))
        if not is_text(library) or not _LIBRARY.fullmatch(normal) or not _LIBRARY_START.match(normal):
            yield document.problem("charm-libs", (*path, "lib"), f"{library!r} names no library", fix)
        if not isinstance(version, str) or not re.fullmatch(r"[0-9]+(\.[0-9]+)?", version):
            yield document.problem("charm-libs", (*path, "version"), f"{version!r} is no version in quotes", fix)


RULES = (_unknown, _fields, _metadata, _links, _analysis, _libraries)
