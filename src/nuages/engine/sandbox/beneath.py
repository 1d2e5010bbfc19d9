"""Making mount points in a tree that a living container may change under our hands: no link is ever followed."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path, PurePosixPath

from nuages.engine.sandbox.errors import SandboxError

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def make_target(root: Path, target: str, *, folder: bool) -> None:
    """Make a mount point below `root`, with parents that everybody may enter: Python below /root must run as anybody.

    Nothing happens where a parent is a link, a file, or another user's: bubblewrap sees that tree from inside.

    Raises:
        SandboxError: the path leads out of the root, or something of the other kind is there.
    """
    path = PurePosixPath("/") / target
    if ".." in path.parts:
        raise SandboxError(f"cannot mount at {target}: it has `..` in it")
    *parents, name = path.relative_to("/").parts
    if parents[:1] in (["usr"], ["proc"], ["dev"], ["run"]):
        return  # covered by a mount; bubblewrap makes what is missing there
    with contextlib.ExitStack() as stack:
        current = os.open(root, _OPEN)
        stack.callback(os.close, current)
        for part in parents:
            try:
                current = _enter(current, part)
            except OSError:
                return
            stack.callback(os.close, current)
        try:
            found = os.lstat(name, dir_fd=current).st_mode
        except FileNotFoundError:
            found = 0
        except OSError:
            return
        if stat.S_ISLNK(found):
            os.unlink(name, dir_fd=current)
            found = 0
        if found and stat.S_ISDIR(found) != folder:
            raise SandboxError(f"cannot mount at {target}: the image has {'a file' if folder else 'a directory'} there")
        if not found:
            _make(current, name, folder=folder)


def _enter(directory: int, name: str) -> int:
    try:
        os.mkdir(name, dir_fd=directory)
        new = True
    except FileExistsError:
        new = False
    entered = os.open(name, _OPEN, dir_fd=directory)
    mode = stat.S_IMODE(os.fstat(entered).st_mode)
    if new or not mode & 0o001:
        os.fchmod(entered, 0o755 if new else mode | 0o011)
    return entered


def _make(directory: int, name: str, *, folder: bool) -> None:
    if folder:
        os.mkdir(name, dir_fd=directory)
        made, mode = os.open(name, _OPEN, dir_fd=directory), 0o755
    else:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        made, mode = os.open(name, flags, dir_fd=directory), 0o644
    try:
        os.fchmod(made, mode)
    finally:
        os.close(made)
