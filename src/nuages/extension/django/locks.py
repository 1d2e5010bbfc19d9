"""uv.lock and poetry.lock as requirements: what the project needs when it runs, with versions and markers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from nuages.extension.django import toml


def uv_lock(document: toml.Table, groups: Sequence[str]) -> list[str]:
    """Return the locked packages that the project itself and its `groups` need, each as `name==version ; markers`.

    A package is reached from the project by edges, each with a marker or none; it is needed where one of them holds.
    """
    packages = {str(entry.get("name")): entry for entry in _tables(document.get("package"))}
    roots = [entry for entry in packages.values() if _is_project(entry)]
    markers: dict[str, set[str]] = {}
    extras: dict[str, set[str]] = {}
    waiting: list[tuple[toml.Table, str]] = []
    for root in roots:
        edges = _tables(root.get("dependencies"))
        for table in ("dev-dependencies", "optional-dependencies"):
            for group in groups:
                edges += _tables(toml.table(root, table).get(group))
        waiting.extend((edge, "") for edge in edges)
    while waiting:
        edge, above = waiting.pop()
        name = str(edge.get("name"))
        marker = _both(above, str(edge.get("marker") or ""))
        wanted = set(toml.texts(edge.get("extra")))
        known = markers.setdefault(name, set())
        if (marker in known or "" in known) and wanted <= extras.setdefault(name, set()):
            continue
        known.add(marker)
        extras.setdefault(name, set()).update(wanted)
        entry = packages.get(name, {})
        inner = _tables(entry.get("dependencies"))
        for extra in wanted:
            inner += _tables(toml.table(entry, "optional-dependencies").get(extra))
        waiting.extend((edge, marker) for edge in inner)
    lines: list[str] = []
    for name, found in sorted(markers.items()):
        version = packages.get(name, {}).get("version")
        condition = (
            "" if "" in found else " or ".join(f"({marker})" if len(found) > 1 else marker for marker in sorted(found))
        )
        lines.append(name + (f"=={version}" if version else "") + (f" ; {condition}" if condition else ""))
    return lines


def poetry_lock(document: toml.Table, groups: Sequence[str]) -> list[str]:
    """Return the packages of the group `main` (all of them in files that name no groups)."""
    wanted = {"main", *groups}
    lines: list[str] = []
    for entry in _tables(document.get("package")):
        named = toml.texts(entry.get("groups")) or ([str(entry["category"])] if "category" in entry else [])
        if not named or wanted & set(named):
            lines.append(f"{entry.get('name')}=={entry.get('version')}")
    return sorted(lines)


def _both(first: str, second: str) -> str:
    if first and second and first != second:
        return f"({first}) and ({second})"
    return first or second


def _is_project(entry: toml.Table) -> bool:
    source = toml.table(entry, "source")
    return "virtual" in source or source.get("editable") == "."


def _tables(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    return [cast("dict[str, Any]", item) for item in cast("list[object]", value) if isinstance(item, dict)]
