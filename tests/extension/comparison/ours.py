"""What ours says of the same documents, in the form in which both can be compared."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from nuages.extension.expand import expand_as_charmcraft
from nuages.extension.problems import ExtensionError, Problem
from nuages.extension.project import EXPERIMENTAL, read
from tests.extension.documents import Case

DIFFERENT = ("parts", "charm-libs")
"""Keys that are ours by design: our run time needs no charm library, and nothing is compiled."""

_NAMELESS = (
    "AttributeError",
    "TypeError",
    "StopIteration",
    "KeyError",
    "YamlError",
    "ProjectFileInvalidError",
    "ValidationError: 1 validation error for ProjectVar",
)
"""Messages that say no key, and failures inside of charmcraft."""

UNORDERED = ("analysis", "bases", "links", "platforms")
"""Mappings of fixed keys, which charmcraft prints in its own order."""


def expand(case: Case) -> tuple[dict[str, Any] | None, tuple[Problem, ...]]:
    """Return the expanded document, or None and the problems for which it is refused."""
    kept = os.environ.pop(EXPERIMENTAL, None)
    if case.experimental:
        os.environ[EXPERIMENTAL] = "1"
    try:
        with tempfile.TemporaryDirectory() as temporary:
            case.write(Path(temporary))
            try:
                return dict(expand_as_charmcraft(read(Path(temporary)))[0]), ()
            except ExtensionError as error:
                assert error.problems, f"{error} has no problem with a place"
                return None, error.problems
    finally:
        os.environ.pop(EXPERIMENTAL, None)
        if kept is not None:
            os.environ[EXPERIMENTAL] = kept


def comparable(document: dict[str, Any]) -> str:
    """Return the document as text, without what differs by design; the order of what is contributed to counts."""
    kept = {key: _without_descriptions(document[key]) for key in sorted(document) if key not in DIFFERENT}
    rest = {key: kept.pop(key) for key in UNORDERED if key in kept}
    return json.dumps(kept, indent=1) + json.dumps(rest, indent=1, sort_keys=True)


def _without_descriptions(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_descriptions(item) for key, item in value.items() if key != "description"}
    return [_without_descriptions(item) for item in value] if isinstance(value, list) else value


def names(problems: tuple[Problem, ...], error: str) -> bool:
    """Whether one of our problems is about what charmcraft's message names first.

    Its messages come from many places. Where one says the key (`summary\\n  Field required`, quoted words) that word
    must stand in ours; where it says nothing (`'NoneType' object has no attribute 'get'`) there is nothing to compare.
    """
    wanted = _named(error)
    ours = " ".join(f"{problem.what} {problem.why} {problem.file} {problem.fix}" for problem in problems)
    return not wanted or any(word in ours for word in wanted)


def _named(error: str) -> list[str]:
    if error.startswith(_NAMELESS):
        return []
    if "invalid YAML in paas-config.yaml" in error:
        return ["paas-config.yaml"]
    located = re.search(r"validation errors? for [^\n]*\n([^\n]+)", error)
    if located:
        parts = [part.replace("_", "-") for part in located[1].split(".") if not part.isdigit()]
        return [*parts, *re.findall(r"'(\w+@\w+)'", error)]
    if fields := re.findall(r"in field '([\w-]+(?:\.[\w-]+)?)", error):
        return fields
    quoted = re.findall(r"'([^']+)'", error)
    quoted = [word for word in quoted if word not in ("django-framework", "django", "charmcraft.yaml")]
    return quoted or re.findall(r"(?:ubuntu|debian|almalinux)@[\d.]+", error)
