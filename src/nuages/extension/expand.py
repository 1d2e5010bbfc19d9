"""Merging a checked document with what the extension contributes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nuages.extension.contribution import contribution, dynamic_options
from nuages.extension.problems import error_of
from nuages.extension.rules import check
from nuages.extension.substitute import platform_of, substitute, target_of

if TYPE_CHECKING:
    from nuages.extension.load import Value
    from nuages.extension.problems import Problem
    from nuages.extension.project import Project

TEXTS = ("name", "title", "version", "summary", "description")
"""Keys whose numbers become text."""


def expand(project: Project, platform: str | None = None) -> dict[str, Value]:
    """Return the expanded document, for one of its platforms: the one that charmcraft takes when none is named.

    The user's keys keep their places, what is contributed follows; where both have a value, the user's wins.

    Raises:
        ExtensionError: the document breaks a rule; all the problems are in it.
    """
    problems = check(project)
    if problems:
        raise error_of(problems, f"expand {project.document.file}")
    return merged(project, platform)


def expand_as_charmcraft(project: Project) -> tuple[dict[str, Value], list[Problem]]:
    """Return the expanded document, and the problems that charmcraft would not stop at.

    Raises:
        ExtensionError: charmcraft would refuse the document, or an option of it would be lost without a word.
    """
    problems = check(project)
    if problems:
        from nuages.extension.codes import stops_expansion

        if any(stops_expansion(problem.code) for problem in problems):
            raise error_of(problems, f"expand {project.document.file}")
    return merged(project), problems


def merged(project: Project, platform: str | None = None) -> dict[str, Value]:
    """Return the expanded document of a project without problems."""
    data = project.document.data
    target = target_of(data, platform) if platform else platform_of(data)[1]
    document = {key: value for key, value in project.document.data.items() if key != "extensions"}
    document.update({key: value for key, value in project.metadata.items() if key not in document})
    platforms = document.get("platforms")
    if isinstance(platforms, dict):
        document["platforms"] = {label: _platform(label, value) for label, value in platforms.items()}
    base = project.base
    if not project.extended or base is None:
        return _normal(document, target)
    added = contribution(base, configured=project.paas_config is not None)
    config = added["config"]
    assert isinstance(config, dict)
    options = config["options"]
    assert isinstance(options, dict)
    options.update(dynamic_options(project.document.mapping("requires")))
    return _normal({key: _merge(document.get(key), added.get(key)) for key in [*document, *added]}, target)


def _merge(mine: Value, added: Value) -> Value:
    """Merge as charmcraft does: what is empty, false or zero in the document is as good as missing."""
    if not mine or added is None:
        return mine if added is None else added
    if isinstance(mine, dict) and isinstance(added, dict):
        return {key: _merge(mine.get(key), added.get(key)) for key in [*mine, *added]}
    if isinstance(mine, list) and isinstance(added, list):
        return [*added, *(item for item in mine if item not in added)]
    return mine


def _platform(label: str, value: Value) -> Value:
    """Complete a platform: `amd64:` becomes build-on and build-for amd64; a single name becomes a list."""
    entry = dict(value) if isinstance(value, dict) else {}
    on = entry.get("build-on") or label
    target = entry.get("build-for") or label
    return {**entry, "build-on": _listed(on), "build-for": _listed(target)}


def _listed(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


def _normal(document: dict[str, Value], target: str) -> dict[str, Value]:
    """Return the document with numbers where text belongs as text, `$CRAFT_...` replaced and short forms completed."""
    found: dict[str, Value] = {}
    for key, value in substitute(document, target).items():
        if key in TEXTS and value is not None and not isinstance(value, dict | list):
            found[key] = str(value)
        elif key == "terms" and isinstance(value, list):
            found[key] = [str(item) for item in value]
        elif key == "subordinate" and value is not None:
            found[key] = str(value).lower() in ("1", "on", "t", "true", "y", "yes")
        elif key == "links" and isinstance(value, dict):
            found[key] = {name: link if name == "contact" else _address(link) for name, link in value.items()}
        elif key == "bases" and isinstance(value, list):
            found[key] = [_bases(entry) for entry in value]
        else:
            found[key] = value
    return found


def _address(link: Value) -> Value:
    """Return a URL as charmcraft writes it: scheme and host in small letters, and a path."""
    if isinstance(link, list):
        return [_address(item) for item in link]
    match = re.fullmatch(r"\s*(https?://)([^/?#]*)(.*?)\s*", link, re.IGNORECASE) if isinstance(link, str) else None
    if match is None:
        return link
    return match[1].lower() + match[2].lower() + (match[3] if match[3].startswith("/") else "/" + match[3])


def _bases(entry: Value) -> Value:
    """Complete the short form of a base: it is built on what it runs on."""
    if isinstance(entry, dict) and "build-on" not in entry and "run-on" not in entry:
        return {"build-on": [entry], "run-on": [dict(entry)]}
    return entry
