"""Walking, digesting and placing files, the same on every machine."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from nuages.build.errors import BuildError
from nuages.engine.programs.leftovers import sweep

NEVER = (
    ".*",
    "__pycache__",
    "*.pyc",
    "*.pyo",
    "*~",
    "*.swp",
    "*.egg-info",
)
"""Names that are no part of anything built: hidden files, caches, what editors leave."""


def walk(root: Path, ignored: Sequence[str], *, also: Callable[[Path], bool] | None = None) -> Iterator[Path]:
    """Yield the files below `root`, in the order of their paths, without what `ignored` names by pattern.

    `also(path)` true leaves out a path and all below it. Links to directories are followed unless they lead to a
    directory that holds them.
    """

    def enter(directory: Path, above: tuple[str, ...]) -> Iterator[Path]:
        here = os.path.realpath(directory)
        if here in above:
            return
        try:
            entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
        except OSError as error:
            raise BuildError(f"cannot read {directory}: {error.strerror}", fix="make it readable for you") from None
        for entry in entries:
            path = directory / entry.name
            if any(fnmatchcase(entry.name, pattern) for pattern in ignored) or (also is not None and also(path)):
                continue
            if entry.is_dir():
                yield from enter(path, (*above, here))
            elif entry.is_file():
                yield path

    return enter(root, ())


def fingerprint(files: Iterable[tuple[str, Path]]) -> str:
    """Return a digest of names, sizes, modes and times: cheap, and different when anything was edited."""
    digest = hashlib.sha256()
    for name, path in files:
        status = path.stat()
        digest.update(
            f"{name}\0{status.st_size}\0{status.st_mode & 0o111}\0{status.st_mtime_ns}\0{status.st_ino}\n".encode()
        )
    return digest.hexdigest()


def content_digest(files: Iterable[tuple[str, Path]]) -> str:
    """Return a digest of names, contents and whether a file may be executed."""
    digest = hashlib.sha256()
    for name, path in files:
        try:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise BuildError(f"cannot read {path}: {error.strerror}", fix="make it readable for you") from None
        digest.update(f"{name}\0{content}\0{executable(path)}\n".encode())
    return digest.hexdigest()


def text_digest(*texts: str) -> str:
    """Return a digest of some texts."""
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


def executable(path: Path) -> bool:
    """Whether anybody may execute the file."""
    return bool(path.stat().st_mode & 0o111)


@contextmanager
def placed(target: Path) -> Generator[Path]:
    """Give an empty directory that becomes `target` when the block ends well, and vanishes otherwise.

    When somebody else was faster, theirs stays: `target` is named after its content.
    """
    with space_checked(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target.parent)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name[:16]}-", dir=target.parent))
    try:
        with space_checked(target):
            temporary.chmod(0o755)
            yield temporary
            try:
                temporary.rename(target)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
    finally:
        remove(temporary)


@contextmanager
def space_checked(target: Path) -> Generator[None]:
    """Turn a full disk into an error that names it."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise full(target) from None
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise BuildError(
                f"cannot write {error.filename or target}: {error.strerror}", fix="make it writable for you"
            ) from None
        raise


def full(target: Path, needed: int = 100) -> BuildError:
    """Return the error for a file system without space; `needed` is in MiB."""
    disk = next(path for path in (target, *target.absolute().parents) if path.is_mount())
    free = shutil.disk_usage(disk).free // 2**20
    missing = max(needed - free, 1)
    where = next((path for path in target.parents if path.name == "nuages"), target.parent)
    return BuildError(
        f"cannot write to {where}: the disk at {disk} is full, {free} MiB free, about {missing} MiB missing",
        fix="make space there, or set XDG_CACHE_HOME to a directory on a larger disk; then repeat the command",
        code="no-space",
    )


def make_readable(tree: Path) -> None:
    """Let everybody read `tree`, whatever the umask: the service's user in a container is nobody we know."""
    for parent, directories, files in os.walk(tree):
        for path in [Path(parent), *(Path(parent, name) for name in (*directories, *files))]:
            if path.is_symlink():
                continue
            mode = stat.S_IMODE(path.stat().st_mode)
            wanted = mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444)
            if wanted != mode:
                path.chmod(wanted)


def remove(directory: Path) -> None:
    """Remove a tree if it exists, read-only directories in it included."""
    if not directory.exists():
        return
    for parent, _, _ in os.walk(directory):
        if not Path(parent).is_symlink():
            Path(parent).chmod(stat.S_IRWXU)
    shutil.rmtree(directory)
