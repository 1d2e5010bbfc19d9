"""The part django-framework/install-app of rockcraft.yaml: which files become the application, as craft-parts does it.

`organize` moves what the dump plugin copied, keys without `*` first; then `stage` and `prime` filter: entries that
begin with `-` exclude, the others include, none means all. A file that is named by neither keeps its place.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nuages.build.errors import BuildError
from nuages.contract.bases import EXTENSION
from nuages.contract.layout import Layout
from nuages.extension.load import Document

UNDERSTOOD = ("plugin", "source", "source-type", "organize", "stage", "prime", "permissions")


@dataclass(frozen=True)
class InstallApp:
    """What the part says."""

    source: Path
    prefix: str = "django/app/"
    """Where the application lies in the rock."""
    organize: Mapping[str, str] = field(default_factory=dict[str, str])
    filters: tuple[tuple[str, ...], ...] = ()
    """The entries of `stage` and of `prime`."""
    notes: tuple[str, ...] = ()

    def place(self, names: Iterable[str]) -> dict[str, str]:
        """Return where each of the source's files lies in the application, without those that lie elsewhere."""
        placed = organized(names, self.organize)
        for entries in self.filters:
            kept = filtered(placed.values(), entries)
            placed = {name: target for name, target in placed.items() if target in kept}
        return {name: target[len(self.prefix) :] for name, target in placed.items() if target.startswith(self.prefix)}


def install_app(document: Document, root: Path, places: Layout) -> InstallApp | None:
    """Return what rockcraft.yaml says of the part, None when it says nothing.

    Raises:
        BuildError: the part is of a kind that cannot be followed here.
    """
    name = f"{EXTENSION}{places.separator}install-app"
    if not isinstance(document.get("parts", name), dict):
        return None
    part = document.mapping("parts", name)
    prefix = places.app[1:] + "/"

    def wrong(key: str, why: str, fix: str) -> BuildError:
        line, column = document.place("parts", name, key)
        return BuildError(f"cannot use {document.file}:{line}:{column}: {key}: {why}", fix=fix, code="rockcraft-yaml")

    if part.get("plugin", "dump") != "dump":
        raise wrong("plugin", f"the plugin {part['plugin']!r} cannot be run here", "use `plugin: dump`")
    source = part.get("source", ".")
    if not isinstance(source, str) or not (root / source).is_dir():
        raise wrong("source", f"{source!r} is no directory of the project", "name the one with manage.py")
    organize = part.get("organize") or {}
    if not isinstance(organize, dict) or not all(isinstance(target, str) for target in organize.values()):
        raise wrong("organize", "is no mapping of paths to paths", f'write `"*": {prefix}` below it')
    filters: list[tuple[str, ...]] = []
    for key in ("stage", "prime"):
        entries = part.get(key) or []
        if not isinstance(entries, list) or not all(isinstance(item, str) and item for item in entries):
            raise wrong(key, "is no list of paths", f"write `- -{prefix}NAME` lines below it")
        if entries:
            filters.append(tuple(map(str, entries)))
    others = [key for key in part if key not in UNDERSTOOD]
    notes = tuple(f"{name}: {key} is not followed here; rockcraft does it" for key in others)
    moves = {key: str(target) for key, target in organize.items()}
    return InstallApp(root / source, prefix, moves, tuple(filters), notes)


def organized(names: Iterable[str], moves: Mapping[str, str]) -> dict[str, str]:
    """Return each file's place after `organize`."""
    placed = {name: name for name in names}
    for key in sorted(moves, key=lambda key: ("*" in key, key)):
        target = moves[key].lstrip("/")
        if "*" in key:
            pattern = _pattern(key)
            placed = {name: _moved(path, pattern, target) for name, path in placed.items()}
            continue
        directory = key.rstrip("/") + "/"
        into = target.endswith("/") or any(path.startswith(target + "/") for path in placed.values())
        for name, path in placed.items():
            if path == key:
                placed[name] = posixpath.join(target, posixpath.basename(path)) if into else target
            elif path.startswith(directory):
                placed[name] = posixpath.join(target, path[len(directory) :])
    return placed


def filtered(paths: Iterable[str], entries: tuple[str, ...]) -> set[str]:
    """Return the paths that the entries of a `stage` or `prime` let through."""
    included = [_pattern(entry.removeprefix("\\")) for entry in entries if not entry.startswith("-")]
    excluded = [_pattern(entry[1:].lstrip()) for entry in entries if entry.startswith("-")]
    return {path for path in paths if (not included or _within(path, included)) and not _within(path, excluded)}


def _moved(path: str, pattern: re.Pattern[str], target: str) -> str:
    for whole in _parents(path):
        if pattern.fullmatch(whole):
            base = posixpath.dirname(whole)
            inside = posixpath.relpath(path, base) if base else path
            return (
                posixpath.join(target, inside) if target.endswith("/") or inside != posixpath.basename(path) else target
            )
    return path


def _within(path: str, patterns: list[re.Pattern[str]]) -> bool:
    """Whether the path, or a directory that holds it, fits one of the patterns."""
    return any(pattern.fullmatch(part) for part in _parents(path) for pattern in patterns)


def _parents(path: str) -> list[str]:
    """Return the directories that hold a path, the outermost first, and the path itself."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _pattern(glob: str) -> re.Pattern[str]:
    """Return a path's glob as a regular expression: `*` within one part, `**` over several."""
    text = ""
    for piece in re.split(r"(\*\*/?|\*|\?)", glob.strip("/")):
        text += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(piece, re.escape(piece))
    return re.compile(text)
