"""The bubblewrap command lines of the two kinds of container: pure, so that they can be read and tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nuages.engine.sandbox.users import DAEMON, Mode

# What Kubernetes' runtimes leave to a container by default.
CAPABILITIES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FSETID",
    "FOWNER",
    "MKNOD",
    "NET_RAW",
    "SETGID",
    "SETUID",
    "SETFCAP",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "SYS_CHROOT",
    "KILL",
    "AUDIT_WRITE",
)

_SHARED_MEMORY = ("--perms", "1777", "--tmpfs", "/dev/shm")  # noqa: S108  the container's own


@dataclass(frozen=True)
class Bind:
    """A bind mount as bubblewrap makes it: `source` is a path as the model sees it."""

    source: str
    target: str
    writable: bool = False

    def argv(self) -> list[str]:
        """Return bubblewrap's words for it."""
        return ["--bind" if self.writable else "--ro-bind", self.source, self.target]


def _common(root: str, binds: Sequence[Bind]) -> list[str]:
    words = ["--unshare-pid", "--bind", root, "/", "--ro-bind", "/usr", "/usr"]
    words += ["--proc", "/proc", "--dev", "/dev", *_SHARED_MEMORY, "--tmpfs", "/run"]
    for bind in sorted(binds, key=lambda bind: bind.target.count("/")):
        words += bind.argv()
    return words


def _capabilities() -> list[str]:
    words = ["--cap-drop", "ALL"]
    for name in CAPABILITIES:
        words += ["--cap-add", f"CAP_{name}"]
    return words


def limited() -> list[str]:
    """Return the command that takes from what it starts inside a container all that a container has not."""
    kept = ",".join(["-all", *(f"+{name.lower()}" for name in CAPABILITIES)])
    return ["/usr/bin/setpriv", "--bounding-set", kept, "--inh-caps", "-all"]


def workload(bwrap: str, mode: Mode, root: str, binds: Sequence[Bind], command: Sequence[str]) -> list[str]:
    """Return the command that runs `command` as PID 1 of a workload container, telling its pid on descriptor 3.

    Mode SINGLE has one id: the command runs as `_daemon_`, for that is who services run as.
    """
    words = [bwrap, "--as-pid-1", "--info-fd", "3"]
    if mode is Mode.SINGLE:
        words += ["--unshare-user", "--uid", str(DAEMON), "--gid", str(DAEMON)]
    else:
        words += _capabilities()
    return [*words, *_common(root, binds), "--chdir", "/", "--", *command]


def charm(bwrap: str, root: str, binds: Sequence[Bind], cwd: str, command: Sequence[str]) -> list[str]:
    """Return the command that runs `command` in a short-lived charm container which dies with its parent."""
    words = [bwrap, "--die-with-parent", *_capabilities(), *_common(root, binds), "--chdir", cwd]
    # bubblewrap sets PWD; a hook's environment is exactly what was asked for.
    return [*words, "--", "/usr/bin/env", "-u", "PWD", *command]
