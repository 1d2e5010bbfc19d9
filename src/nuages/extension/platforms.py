"""Rules about where the charm is built and runs: `base`, `build-base`, `bases`, `platforms`.

Facts from charmcraft 4.5.0 and craft-platforms 0.12 (what they accept and refuse: tests/extension/comparison).
"""

from __future__ import annotations

from collections.abc import Iterator

from nuages.extension.load import Document, Path, Value
from nuages.extension.names import listed, nearest
from nuages.extension.problems import Problem
from nuages.extension.project import Project

ARCHITECTURES = ("amd64", "arm64", "armhf", "i386", "ppc64el", "riscv64", "s390x")
TARGETS = (*ARCHITECTURES, "all")
RESERVED = ("any", "*")
LEGACY = ("ubuntu@18.04", "ubuntu@20.04", "ubuntu@22.04", "almalinux@9")
"""What may stand below `bases:`; newer bases want `base:` and `platforms:`."""

KNOWN = (
    "ubuntu@18.04",
    "ubuntu@20.04",
    "ubuntu@22.04",
    "ubuntu@24.04",
    "ubuntu@25.04",
    "ubuntu@25.10",
    "ubuntu@26.04",
    "ubuntu@26.10",
    "almalinux@9",
)
"""What charmcraft knows as `base:`; the extension works on fewer."""

WITH_CHARM_PLUGIN = (*LEGACY, "ubuntu@24.04", "ubuntu@24.10", "ubuntu@25.04")
"""Bases on which charmcraft can build the part that the extension contributes before 26.04."""

DEVELOPED = ("ubuntu@25.04", "ubuntu@25.10", "ubuntu@26.10")
"""Bases that need a `build-base:` beside them."""


def _known(project: Project) -> Iterator[Problem]:
    document = project.document
    for key, known in (("base", KNOWN), ("build-base", (*KNOWN, "ubuntu@devel"))):
        value = document.get(key)
        if key == "base" and project.extended and isinstance(value, str):
            continue  # the extension knows fewer, and says so
        if isinstance(value, int | float | str) and not isinstance(value, bool) and value not in known:
            near = nearest(str(value), known)
            if isinstance(value, int | float):
                near = nearest(f"ubuntu@{value:.2f}", known)
            yield document.problem("base", (key,), f"there is no base {value}{near}", "write `base: ubuntu@24.04`")
    base, build_base = document.get("base"), document.get("build-base")
    usable = (*WITH_CHARM_PLUGIN, "ubuntu@26.04", "ubuntu@26.10") if project.experimental else WITH_CHARM_PLUGIN
    contributed = project.extended and project.base is not None and not project.base.experimental
    if base and contributed and isinstance(build_base, str) and build_base not in usable:
        yield document.problem(
            "base",
            ("build-base",),
            f"nothing can be built on {build_base}",
            "write the same as in `base:`, or remove it",
        )
    if base in DEVELOPED and document.get("build-base") is None:
        yield document.problem("base", ("base",), f"{base} needs a build-base", f"write `build-base: {base}` below it")


def _places(project: Project) -> Iterator[Problem]:
    document = project.document
    if "bases" in document.data:
        for key in ("base", "build-base"):
            if document.get(key) is not None and key == "base":
                yield document.problem(
                    "base", (key,), "does not go together with `bases:`", f"remove `bases:` and write `{key}:` alone"
                )
        return
    if "platforms" not in document.data:
        yield document.problem(
            "missing-key", ("platforms",), "is missing", "write `platforms:` and `  amd64:` below it"
        )


def _bases(project: Project) -> Iterator[Problem]:
    document = project.document
    bases = document.get("bases")
    if bases == []:
        yield document.problem("bases", ("bases",), "is empty", "write `base: ubuntu@24.04` and `platforms:` instead")
    for index, entry in enumerate(bases if isinstance(bases, list) else []):
        path: Path = ("bases", index)
        if not isinstance(entry, dict):
            yield document.problem("bases", path, "is no base", _BASE_FIX)
        elif "build-on" in entry or "run-on" in entry:
            for key in entry:
                if key not in ("build-on", "run-on"):
                    yield document.problem("bases", (*path, key), "has no place here", "use build-on and run-on alone")
            for key in ("build-on", "run-on"):
                items = entry.get(key)
                if not isinstance(items, list) or not items:
                    yield document.problem("bases", (*path, key), "is no list of bases", f"write `{key}:` and a list")
                    continue
                for inner, item in enumerate(items):
                    yield from _base(document, (*path, key, inner), item)
        else:
            yield from _base(document, path, entry)


_BASE_FIX = 'write `name: ubuntu` and `channel: "22.04"`, in quotes'


def _base(document: Document, path: Path, item: Value) -> Iterator[Problem]:
    name = item.get("name") if isinstance(item, dict) else None
    channel = item.get("channel") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(name, str) or not isinstance(channel, str):
        yield document.problem("bases", path, "is no base", _BASE_FIX)
        return
    for key, value in item.items():
        if key not in ("name", "channel", "architectures"):
            yield document.problem("bases", (*path, key), "unknown", "use name, channel and architectures")
        elif key == "architectures":
            architectures = value if isinstance(value, list) else [None]
            for architecture in architectures or [None]:
                if architecture not in TARGETS:
                    yield document.problem(
                        "bases",
                        (*path, key),
                        f"{architecture!r} is no architecture",
                        f"write a list of {listed(ARCHITECTURES)}",
                    )
    if f"{name}@{channel}" not in LEGACY:
        yield document.problem(
            "bases",
            path,
            f"{name}@{channel} cannot stand below `bases:`",
            f"write `base: {name}@{channel}` and `platforms:` with `amd64:` instead",
        )


def _platforms(project: Project) -> Iterator[Problem]:
    document = project.document
    platforms = document.mapping("platforms")
    if platforms == {} and isinstance(document.get("platforms"), dict):
        yield document.problem("platform", ("platforms",), "is empty", "write `  amd64:` below it")
    for label, entry in platforms.items():
        path: Path = ("platforms", label)
        if label in RESERVED or "/" in label:
            yield document.problem("platform", path, f"{label!r} cannot be a platform's name", "write `amd64:`")
        elif entry is None:
            if _target(label) is None or label == "all" or label.endswith(":all"):
                hint = nearest(label, ARCHITECTURES)
                yield document.problem(
                    "platform",
                    path,
                    f"{label} is no architecture{hint}",
                    f"use {listed(ARCHITECTURES)}, or write build-on and build-for below it",
                )
        elif not isinstance(entry, dict):
            yield document.problem("platform", path, "is not a mapping", f"write `{label}:` alone")
        else:
            yield from _platform(document, path, label, entry)


def _platform(document: Document, path: Path, label: str, entry: dict[str, Value]) -> Iterator[Problem]:
    for key in entry:
        if key not in ("build-on", "build-for"):
            yield document.problem(
                "platform", (*path, key), f"unknown{nearest(key, ('build-on', 'build-for'))}", "use build-on, build-for"
            )
    on, target = entry.get("build-on"), entry.get("build-for")
    if on is None:
        yield document.problem("platform", path, "names nothing to build on", "write `build-on: [amd64]` below it")
    if target is None and label not in TARGETS:
        yield document.problem("platform", path, "names nothing to build for", "write `build-for: [amd64]` below it")
    for key, value in (("build-on", on), ("build-for", target)):
        if value is None:
            continue
        items = value if isinstance(value, list) else [value]
        fix = f"write `{key}: [amd64]`"
        if not items or (key == "build-for" and len(items) != 1):
            yield document.problem("platform", (*path, key), f"names {len(items)} architectures, one is needed", fix)
        if len({str(item) for item in items}) != len(items):
            yield document.problem("platform", (*path, key), "names one architecture twice", "keep one of the two")
        for item in items:
            if not isinstance(item, str) or _target(item) is None:
                near = nearest(str(item), TARGETS)
                yield document.problem("platform", (*path, key), f"{item!r} is no architecture{near}", fix)
            elif key == "build-on" and item.rpartition(":")[2] == "all":
                yield document.problem("platform", (*path, key), "nothing can be built on `all`", fix)


def _target(text: str) -> str | None:
    """Return the architecture of `[BASE:]ARCHITECTURE`, None when it is not of that form."""
    base, colon, architecture = text.partition(":")
    if not colon:
        return text if text in TARGETS else None
    system, at, series = base.partition("@")
    return architecture if architecture in TARGETS and at and system and series and "@" not in series else None


def _one_place(project: Project) -> Iterator[Problem]:
    """A base is named once: at the top or in each platform."""
    document = project.document
    if "bases" in document.data:
        return
    top = document.get("base") or document.get("build-base")
    for label, entry in document.mapping("platforms").items():
        path: Path = ("platforms", label)
        mine = label.partition(":")[0] if ":" in label and "@" in label.partition(":")[0] else ""
        named = [item for item in _entries(label, entry) if isinstance(item, str)]
        bases = {item.partition(":")[0] if ":" in item else "" for item in named} if isinstance(entry, dict) else {""}
        if len(bases) > 1:
            yield document.problem(
                "platform", path, "names different bases to build on and for", "name the same base in each entry"
            )
            continue
        inner = next(iter(bases), "")
        if mine and inner and mine != inner:
            yield document.problem("platform", path, f"names {inner} below {mine}", "name one base")
        elif (mine or inner) and top:
            yield document.problem(
                "platform", path, f"names {mine or inner}, and `base:` names {top}", "name the base in one place"
            )
        elif not (mine or inner or top):
            yield document.problem(
                "base", ("base",), "no base is named", "write `base: ubuntu@24.04` above `platforms:`"
            )


def _entries(label: str, entry: Value) -> list[Value]:
    if not isinstance(entry, dict):
        return [label]
    found: list[Value] = []
    for key in ("build-on", "build-for"):
        value = entry.get(key)
        found.extend(value if isinstance(value, list) else [label if value is None else value])
    return found


RULES = (_known, _places, _bases, _platforms, _one_place)
