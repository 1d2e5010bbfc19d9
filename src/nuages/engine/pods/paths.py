"""Unix sockets in deep directories."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from pathlib import Path

_LIMIT = 107
"""The bytes that a Unix socket's address holds."""


@contextlib.contextmanager
def existing(path: Path) -> Generator[str]:
    """Yield a short address of a socket in a directory that a container may write to.

    It is the very socket that is there now and never what a link leads to: a container must not choose whom the engine
    talks to. When there is none, connecting to the address says so.
    """
    try:
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW)
    except OSError:
        with near(path) as address:
            yield address
        return
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def near(path: Path) -> Generator[str]:
    """Yield an address of a socket that is short enough, however deep its directory is."""
    if len(os.fsencode(path)) <= _LIMIT:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
