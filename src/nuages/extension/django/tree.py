"""A project's files as detection sees them: names, and texts that are read when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

SKIPPED = (
    "__pycache__",
    "node_modules",
    "site-packages",
    "venv",
    "env",
    "build",
    "dist",
    "*.egg-info",
)
"""Directories in which nothing of the project's own is looked for. Hidden ones are not entered either."""

KEPT_HIDDEN = (".python-version", ".gitignore", ".dockerignore", ".env", ".env.example")
"""Hidden files that say something about a project."""

MAXIMUM = 512 * 1024
"""Larger files are data: their names count, their texts do not."""


class Tree:
    """File names relative to the project's directory, with `/` between the parts, in order; and their texts."""

    def __init__(self, files: Mapping[str, str], names: Iterable[str] = ()) -> None:
        self._texts = dict(files)
        self.names = tuple(sorted({*self._texts, *names}))
        self._known = frozenset(self.names)
        self._directories = frozenset(
            parent.as_posix() for name in self.names for parent in PurePosixPath(name).parents if parent.name
        )

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def is_directory(self, name: str) -> bool:
        """Whether some file lies below `name`; "" is the project's directory."""
        return not name or name in self._directories

    def text(self, name: str) -> str:
        """Return a file's text, "" when there is no such file or it cannot be read as text."""
        return self._texts.get(name, "")

    def under(self, directory: str) -> tuple[str, ...]:
        """Return the names of the files below `directory`."""
        if not directory:
            return self.names
        return tuple(name for name in self.names if name.startswith(directory + "/"))

    def named(self, *patterns: str, depth: int = 20) -> tuple[str, ...]:
        """Return the files whose last part is one of `patterns`, the nearest to the root first."""
        found = [
            name
            for name in self.names
            if name.count("/") < depth and any(fnmatchcase(name.rpartition("/")[2], pattern) for pattern in patterns)
        ]
        return tuple(sorted(found, key=lambda name: (name.count("/"), name)))


class Folder(Tree):
    """A directory on this machine; a text is read once, when it is asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        super().__init__({}, _walk(root))

    def text(self, name: str) -> str:
        """Return a file's text, "" when there is no such file, it is large, or it cannot be read as text."""
        if name not in self._texts:
            self._texts[name] = self._read(name) if name in self else ""
        return self._texts[name]

    def _read(self, name: str) -> str:
        path = self.root / name
        try:
            if path.stat().st_size > MAXIMUM:
                return ""
            return path.read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            return ""


def _walk(root: Path) -> Iterable[str]:
    """Yield the names of files below `root`; environments, the charm and links that lead around are not entered."""
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        try:
            entries = list(os.scandir(root / prefix))
        except OSError:
            continue
        names = {entry.name for entry in entries}
        if prefix and ("pyvenv.cfg" in names or "charmcraft.yaml" in names):
            continue  # an environment, or the charm: neither is the application
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir():
                skipped = entry.name.startswith(".") or any(fnmatchcase(entry.name, pattern) for pattern in SKIPPED)
                if not skipped and not (entry.is_symlink() and _leads_around(entry.path)):
                    waiting.append(name + "/")
            elif entry.is_file() and (not entry.name.startswith(".") or entry.name in KEPT_HIDDEN):
                yield name


def _leads_around(link: str) -> bool:
    """Whether a link leads to a directory that holds it."""
    here, there = os.path.realpath(os.path.dirname(link)), os.path.realpath(link)  # noqa: PTH120  of many entries
    return (here + "/").startswith(there.rstrip("/") + "/")
