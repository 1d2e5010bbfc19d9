"""Merging a checked document with what the extension contributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nuages.extension.contribution import contribution, dynamic_options
from nuages.extension.problems import error_of
from nuages.extension.rules import check

if TYPE_CHECKING:
    from nuages.extension.load import Value
    from nuages.extension.project import Project


def expand(project: Project) -> dict[str, Value]:
    """Return the expanded document.

    The user's keys keep their places, what is contributed follows; where both have a value, the user's wins.

    Raises:
        ExtensionError: the document breaks a rule; all the problems are in it.
    """
    problems = check(project)
    if problems:
        raise error_of(problems, f"expand {project.document.file}")
    document = {key: value for key, value in project.document.data.items() if key != "extensions"}
    platforms = document.get("platforms")
    if isinstance(platforms, dict):
        document["platforms"] = {label: _platform(label, value) for label, value in platforms.items()}
    base = project.base
    if not project.extended or base is None:
        return document
    added = contribution(base)
    config = added["config"]
    assert isinstance(config, dict)
    options = config["options"]
    assert isinstance(options, dict)
    options.update(dynamic_options(project.document.mapping("requires")))
    return {key: _merge(document.get(key), added.get(key)) for key in [*document, *added]}


def _merge(mine: Value, added: Value) -> Value:
    if isinstance(mine, dict) and isinstance(added, dict):
        return {key: _merge(mine.get(key), added.get(key)) for key in [*mine, *added]}
    if isinstance(mine, list) and isinstance(added, list):
        return [*added, *(item for item in mine if item not in added)]
    return added if added is not None and mine in (None, {}, []) else mine


def _platform(label: str, value: Value) -> Value:
    """Complete a platform: `amd64:` becomes build-on and build-for amd64; a single name becomes a list."""
    entry = dict(value) if isinstance(value, dict) else {}
    on = entry.get("build-on") or label
    target = entry.get("build-for") or label
    return {**entry, "build-on": on if isinstance(on, list) else [on], "build-for": _listed(target)}


def _listed(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]
