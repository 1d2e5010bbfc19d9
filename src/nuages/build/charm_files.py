"""Which of a charm's own files go into it: those that git tracks, where the charm is in a repository.

A charm of its own folder is packed whole, as charmcraft does, but for what only its developer needs. Where charm and
project share a folder, only what Juju and charmcraft know by name belongs to the charm.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from nuages.build.errors import BuildError
from nuages.build.files import NEVER, walk
from nuages.extension.names import listed

ENTRY = "src/charm.py"

DIRECTORIES = ("src", "lib", "mod", "actions", "cos_custom", "templates")
FILES = (
    "paas-config.yaml",
    "icon.svg",
    "LICENSE",
    "README.md",
    "copyright",
    "version",
    "metrics.yaml",
    "lxd-profile.yaml",
)
"""What a charm may have besides its documents (charmcraft 4.5.0 names the same), and ours."""

LEFT_OUT = (
    "charmcraft.yaml", "metadata.yaml", "manifest.yaml", "config.yaml", "actions.yaml",
    "requirements*.txt", "constraints*.txt", "pyproject.toml", "uv.lock", "poetry.lock", "Pipfile*",
    "setup.cfg", "setup.py", "tox.ini", "Makefile", "Taskfile*", "noxfile.py", "conftest.py",
    "tests", "test", "venv", "env", "build", "dist", "parts", "stage", "prime", "node_modules", "htmlcov",
    "*.charm", "*.rock", "*.snap",
)  # fmt: skip
"""At the top of a charm's folder: what packing writes itself, what it was told by, and what is for its developer."""

OURS = ("dispatch", "explain", "hooks")
"""How Juju starts a charm: packing writes that."""
_LICENSES = ("LICENSE", "LICENCE", "COPYING", "LICENSE.txt", "LICENSE.md")


@dataclass(frozen=True)
class OwnFiles:
    """A charm's own files: name in the charm to path, and what the user should know."""

    files: dict[str, Path] = field(default_factory=dict[str, Path])
    notes: tuple[str, ...] = ()


def own_files(charm: Path) -> OwnFiles:
    """Return the charm's own files.

    Raises:
        BuildError: something that packing writes is already there, or nothing can be read.
    """
    shared = (charm / "rockcraft.yaml").is_file() or (charm / "manage.py").is_file()
    tracked, untracked, notes = _asked(charm)
    if tracked is None:
        files = {path.relative_to(charm).as_posix(): path for path in walk(charm, NEVER, also=_skipped(charm, shared))}
        untracked = []
    else:
        files = dict(_existing(charm, tracked))
    found = {name: path for name, path in files.items() if wanted(name, shared=shared)}
    if taken := next((name for name in found if name.partition("/")[0] in OURS), None):
        raise BuildError(
            f"cannot pack {charm / taken}: packing writes {taken.partition('/')[0]} itself",
            fix=f"remove it; what is to run at an event belongs into {ENTRY}",
        )
    if missing := [name for name in untracked if wanted(name, shared=shared)]:
        notes = (*notes, f"not in git, so not in the charm: {_some(missing)} (git add them, or let git ignore them)")
    if not any(name in found for name in _LICENSES) and charm.resolve().name == "charm":
        around = next((path for name in _LICENSES if (path := charm.resolve().parent / name).is_file()), None)
        if around:
            found["LICENSE"] = around
    return OwnFiles(dict(sorted(found.items())), notes)


def wanted(name: str, *, shared: bool = False) -> bool:
    """Whether a file belongs into the charm by its name; `shared`: the folder is also the project's."""
    parts = name.split("/")
    if any(fnmatchcase(part, pattern) for part in parts for pattern in NEVER):
        return False
    if shared:
        return parts[0] in DIRECTORIES if len(parts) > 1 else name in FILES
    return not any(fnmatchcase(parts[0], pattern) for pattern in LEFT_OUT)


def _skipped(charm: Path, shared: bool) -> Callable[[Path], bool]:
    def skipped(path: Path) -> bool:
        top = path.parent == charm and path.is_dir()
        return (path / "pyvenv.cfg").is_file() or (top and not wanted(path.name + "/x", shared=shared))

    return skipped


def _existing(charm: Path, names: Iterable[str]) -> Iterable[tuple[str, Path]]:
    """Yield the tracked files that are there; a submodule or a link to a directory stands for what is in it."""
    for name in names:
        path = charm / name
        if path.is_dir():
            yield from ((f"{name}/{inner.relative_to(path).as_posix()}", inner) for inner in walk(path, NEVER))
        elif path.is_file():
            yield name, path


def _asked(charm: Path) -> tuple[list[str] | None, list[str], tuple[str, ...]]:
    """Ask git which files it tracks, which it neither tracks nor ignores, and what it says against answering.

    The first is None when git does not know the charm: it is in no repository, or was not added to it yet.
    """
    if not any((place / ".git").exists() for place in (charm.resolve(), *charm.resolve().parents)):
        return None, [], ()
    if shutil.which("git") is None:
        return None, [], ("git is not installed, so files that it does not track are in the charm too",)
    words = ["git", "-c", "core.fsmonitor=false", "ls-files", "-t", "-z", "--cached", "--others", "--exclude-standard"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        words, cwd=charm, capture_output=True, stdin=subprocess.DEVNULL, env={**environment, "LC_ALL": "C"}, check=False
    )
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        return None, [], (f"git does not say which files it tracks, so all are in the charm: {reason[0]}",)
    entries = [entry for entry in os.fsdecode(done.stdout).split("\0") if entry]
    tracked = [entry[2:] for entry in entries if not entry.startswith("?")]
    if ENTRY not in tracked:
        return None, [], ()
    return list(dict.fromkeys(tracked)), [entry[2:] for entry in entries if entry.startswith("?")], ()


def _some(names: list[str], most: int = 5) -> str:
    shown = sorted(names)[:most]
    return listed(shown) if len(names) <= most else f"{', '.join(shown)} and {len(names) - most} more"
