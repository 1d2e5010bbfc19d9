"""The writable root of a container: a copy of its image, completed with what a small image lacks."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from nuages.engine.sandbox import process
from nuages.engine.sandbox.beneath import make_target
from nuages.engine.sandbox.errors import SandboxError
from nuages.engine.sandbox.image import Image
from nuages.engine.sandbox.users import DAEMON

_PASSWD = f"""root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
_daemon_:x:{DAEMON}:{DAEMON}::/nonexistent:/usr/bin/false
"""
_GROUP = f"""root:x:0:
tty:x:5:
nogroup:x:65534:
_daemon_:x:{DAEMON}:
"""
_FILES = {
    "etc/passwd": _PASSWD,
    "etc/group": _GROUP,
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
_DIRECTORIES = {
    "usr": 0o755,
    "etc": 0o755,
    "proc": 0o755,
    "dev": 0o755,
    "run": 0o755,
    "root": 0o700,
    "tmp": 0o1777,
    "var": 0o755,
    "var/tmp": 0o1777,
    "var/lib": 0o755,
    "var/log": 0o755,
    "charm": 0o755,
}
_MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_LENT = ("etc/ssl", "etc/alternatives", "etc/ld.so.cache", "etc/ca-certificates.conf")
"""What programs below /usr expect of the host's /etc."""


def make(image: Image | None, root: Path, targets: Iterable[tuple[str, bool]]) -> list[tuple[Path, str]]:
    """Make a container's root at `root` (which must not exist) and return what the host must lend read-only to it.

    `targets` are the mounts to come as (path in the container, is it a directory). bubblewrap would make missing mount
    points, but with parents that only root may enter.

    Raises:
        SandboxError: the image cannot be copied, for example because the disk is full.
    """
    if image is None:
        directory(root)
    else:
        _copy(image.root, root)
    for name, mode in _DIRECTORIES.items():
        path = _walk(root, PurePosixPath(name))
        if path and not path.is_symlink() and not path.exists():
            directory(path, mode)
    lent = _merge(root)
    for name, text in _FILES.items():
        path = _walk(root, PurePosixPath(name))
        if path and not path.is_symlink() and not path.exists():
            path.write_text(text)
            path.chmod(0o644)
    for name in _LENT:
        host, own = Path("/") / name, _walk(root, PurePosixPath(name))
        if own and host.exists() and not own.is_symlink() and not own.exists():
            make_target(root, f"/{name}", folder=host.is_dir())
            lent.append((host, f"/{name}"))
    for target, folder in targets:
        make_target(root, target, folder=folder)
    return lent


def _merge(root: Path) -> list[tuple[Path, str]]:
    lent: list[tuple[Path, str]] = []
    for name in _MERGED:
        host, own = Path("/") / name, root / name
        if own.is_symlink() or own.exists() or not (host.is_symlink() or host.exists()):
            continue
        if host.is_symlink():
            own.symlink_to(host.readlink())
        else:
            directory(own)
            lent.append((host, f"/{name}"))
    return lent


def _copy(source: Path, root: Path) -> None:
    if not source.is_dir():
        raise SandboxError(f"cannot copy the image {source}: it is not a directory", fix="build the rock again")
    result = process.run([process.tool("cp"), "-a", "--reflink=auto", "--", str(source), str(root)], timeout=900)
    if result.code:
        reason = result.err.strip().splitlines()[-1] if result.err.strip() else "cp failed"
        if "No space left" in reason:
            free = os.statvfs(root.parent)
            reason = f"no space left at {root.parent} ({free.f_bavail * free.f_frsize >> 20} MiB free)"
        raise SandboxError(f"cannot copy the image {source}: {reason}")
    root.chmod(0o755)


def _walk(root: Path, path: PurePosixPath) -> Path | None:
    """Return the path below `root`, or None when one of its parents is a link: links of an image may lead anywhere."""
    current = root
    for part in path.parts[:-1]:
        current = current / part
        if current.is_symlink():
            return None
        if not current.exists():
            directory(current)
        elif not current.is_dir():
            return None
    return current / path.parts[-1] if path.parts else root


def directory(path: Path, mode: int = 0o755) -> None:
    """Make a directory with exactly this mode, whatever the umask: pods have users of their own."""
    path.mkdir()
    path.chmod(mode)
