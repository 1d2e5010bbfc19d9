"""Copies of whole directories: complete, on the disk and described, or not there (blocking)."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path

from nuages.engine.errors import EngineError
from nuages.engine.sandbox import process
from nuages.engine.sandbox.users import UserMap, remove

_ROOM = "see what `df` says of the state directory, then run the same command again"


@contextlib.contextmanager
def whole(temporary: Path, owner: UserMap | None) -> Generator[None]:
    """Make a directory anew; it is gone again when the block fails."""
    remove(temporary, owner)
    temporary.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        temporary.mkdir(mode=0o700)
        yield
    except BaseException:
        remove(temporary, owner)
        raise


@contextlib.contextmanager
def explained(doing: str) -> Generator[None]:
    """Turn what the file system or SQLite refuses into an error of ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise EngineError(f"{doing}: {error}", fix=_ROOM) from None
    except OSError as error:
        raise EngineError(f"{doing}: {error.strerror or error}", fix=_ROOM) from None


def copy_database(source: Path, target: Path) -> None:
    """Copy a database as it is at one moment, whatever is in its log."""
    with contextlib.closing(sqlite3.connect(source)) as one, contextlib.closing(sqlite3.connect(target)) as two:
        one.backup(two)
    target.chmod(0o600)


def size(place: Path) -> int:
    """Return the bytes that a directory takes."""
    # Folders of the pods' users may be closed to us; du says what it saw all the same.
    words = process.run([process.tool("du"), "-sk", "--", str(place)], timeout=600).out.split()
    return int(words[0]) * 1024 if words else 0
