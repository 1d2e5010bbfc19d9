"""Who a container's users are on the host: the three user maps, and the holder of a map.

No map contains the host's root. In order of preference:

* ROOT: the engine is root; container ids are shifted far away from everybody's.
* RANGE: container root is the user, other ids come from the user's /etc/subuid and /etc/subgid.
* SINGLE: there is one id; Pebble and its services all run as `_daemon_`, which is the user.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from nuages.engine.sandbox import process
from nuages.engine.sandbox.errors import NamespacesError, SandboxError

DAEMON = 584792
"""The uid and gid of `_daemon_`, the user of a rock's services."""
COUNT = 65536
_PATIENCE = 3600.0
"""Seconds that a tree of files may take to be copied or removed."""
BASE = 1_000_000_000
"""Where the shifted ids begin: above every range that useradd hands out."""


class Mode(Enum):
    """Which of the user maps is in force."""

    ROOT = "root"
    RANGE = "range"
    SINGLE = "single"


Extent = tuple[int, int, int]
"""(first id inside, first id outside, how many), a line of /proc/PID/uid_map."""


@dataclass(frozen=True)
class UserMap:
    """A user map: what the container's root is outside, and the lines to write."""

    mode: Mode
    uids: tuple[Extent, ...]
    gids: tuple[Extent, ...]

    @property
    def root(self) -> int:
        """Return the uid that the container's root has on the host."""
        return self.uids[0][1]

    def enter(self) -> list[str]:
        """Return the options with which nsenter becomes the root of the user namespace."""
        return ["-U", "--preserve-credentials"] if self.mode is Mode.SINGLE else ["-U", "-S", "0", "-G", "0"]


def shifted(available: Iterable[Extent]) -> UserMap | None:
    """Return the map of mode ROOT that fits into the ids this process has itself (its own uid_map), if any does."""
    for inner, _, count in available:
        first = max(inner, BASE)
        if first + COUNT + 1 <= inner + count:
            break
        first = inner + count - COUNT - 1
        if first >= max(inner, 1000):
            break
    else:
        return None
    extents: tuple[Extent, ...] = ((0, first, COUNT), (DAEMON, first + COUNT, 1))
    return UserMap(Mode.ROOT, extents, extents)


def subordinate(text: str, names: Iterable[str]) -> tuple[int, int] | None:
    """Return (first, count) of the first range of at least 65536 ids that a subuid file grants to one of `names`."""
    wanted = set(names)
    for line in text.splitlines():
        owner, _, rest = line.strip().partition(":")
        first, _, count = rest.partition(":")
        if owner in wanted and first.isdigit() and count.isdigit() and int(count) >= COUNT:
            return int(first), int(count)
    return None


def candidates(uid: int | None = None, gid: int | None = None) -> list[UserMap]:
    """Return the maps worth trying for a user (the present one by default), best first."""
    uid, gid = os.geteuid() if uid is None else uid, os.getegid() if gid is None else gid
    if uid == 0:
        with contextlib.suppress(OSError, ValueError):
            lines = Path("/proc/self/uid_map").read_text().splitlines()
            numbers = [[int(word) for word in line.split()] for line in lines]
            found = shifted([(a, b, c) for a, b, c in numbers])
            return [found] if found else []
        return []
    single = UserMap(Mode.SINGLE, ((0, uid, 1),), ((0, gid, 1),))
    names = [str(uid)]
    with contextlib.suppress(KeyError):
        names.append(pwd.getpwuid(uid).pw_name)
    ranges: list[tuple[int, int]] = []
    for file in ("/etc/subuid", "/etc/subgid"):
        with contextlib.suppress(OSError):
            if found_range := subordinate(Path(file).read_text(), names):
                ranges.append(found_range)
    if len(ranges) == 2 and shutil.which("newuidmap") and shutil.which("newgidmap"):
        (first_uid, _), (first_gid, _) = ranges
        return [
            UserMap(
                Mode.RANGE,
                ((0, uid, 1), (1, first_uid, COUNT - 1), (DAEMON, first_uid + COUNT - 1, 1)),
                ((0, gid, 1), (1, first_gid, COUNT - 1), (DAEMON, first_gid + COUNT - 1, 1)),
            ),
            single,
        ]
    return [single]


@contextlib.contextmanager
def holder(users: UserMap) -> Generator[int]:
    """Hold a fresh user namespace with this map and yield the pid of its holder; it goes when the block ends.

    Raises:
        NamespacesError: the kernel or a policy refuses the namespace or the map.
    """
    child = process.spawn([process.tool("unshare"), "-U", "--", process.tool("cat")])
    assert child.stdin and child.stdout and child.stderr
    try:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(b"\n")
            child.stdin.flush()
        if not child.stdout.read(1):
            raise NamespacesError(f"cannot make a user namespace: {child.stderr.read().decode().strip()}")
        _write_map(child.pid, users)
        yield child.pid
    finally:
        child.kill()
        child.communicate()


def _write_map(pid: int, users: UserMap) -> None:
    try:
        if users.mode is Mode.RANGE:
            for command, extents in (("newuidmap", users.uids), ("newgidmap", users.gids)):
                words = [str(number) for extent in extents for number in extent]
                result = process.run([process.tool(command), str(pid), *words])
                if result.code:
                    raise NamespacesError(f"cannot map the sub-ids of this user: {result.err.strip()}")
            return
        if users.mode is Mode.SINGLE:
            Path(f"/proc/{pid}/setgroups").write_text("deny")
        for name, extents in (("uid_map", users.uids), ("gid_map", users.gids)):
            lines = "".join(f"{inner} {outer} {count}\n" for inner, outer, count in extents)
            Path(f"/proc/{pid}/{name}").write_text(lines)
    except OSError as error:
        raise NamespacesError(f"cannot map users into a namespace: {error.strerror}") from None


def remove(path: Path, users: UserMap | None = None) -> None:
    """Remove a file or a tree whoever of the map (by default the one that would be tried first) owns its parts.

    Raises:
        SandboxError: something of it is left.
    """
    if not path.exists() and not path.is_symlink():
        return
    result = _as_owner([process.tool("rm"), "-rf", "--", str(path)], users)
    if result.code:
        raise SandboxError(f"cannot remove {path}: {result.err.strip()}")


def copy(source: Path, target: Path, users: UserMap | None = None) -> None:
    """Copy a tree to `target`, which is not there yet, with owners, modes and links, sharing blocks where it can.

    Raises:
        SandboxError: something could not be copied; what was stays.
    """
    result = _as_owner([process.tool("cp"), "-a", "--reflink=auto", "--", str(source), str(target)], users, first=True)
    if result.code:
        reason = result.err.strip().splitlines()[-1] if result.err.strip() else "no reason given"
        raise SandboxError(f"cannot copy {source}: {reason.removeprefix('cp: ')}")


def _as_owner(command: list[str], users: UserMap | None, *, first: bool = False) -> process.Result:
    """Run a command as ourselves; when that fails (or `first`) as the root of the map, who may do more."""
    users = users or next(iter(candidates()), None)
    mapped = users is not None and users.mode is not Mode.ROOT
    if not (first and mapped):
        # As ourselves first: where namespaces are refused there is nobody else's file either.
        result = process.run(command, timeout=_PATIENCE)
        if not result.code or not mapped:
            return result
    assert users
    with holder(users) as pid:
        return process.run([process.tool("nsenter"), "-t", str(pid), *users.enter(), "--", *command], timeout=_PATIENCE)
