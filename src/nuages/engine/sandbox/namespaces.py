"""The model init: one process that owns a model's user, network, pid, ipc and mount namespaces.

Everything of the model runs below it. Killing it removes every process, interface and mount of the model, and nothing
of the host's: the capabilities exist only inside.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from nuages.engine.sandbox import diagnosis, process, users
from nuages.engine.sandbox.errors import NamespacesError, SandboxError
from nuages.engine.sandbox.process import Process
from nuages.engine.sandbox.users import Mode, UserMap

GATEWAY = "10.77.0.1"
PREFIX = 16

_INIT = f"""set -e
ip link set lo up
ip link add br0 type bridge
ip addr add {GATEWAY}/{PREFIX} dev br0
ip link set br0 up
echo ready
read -r keep
exec env --ignore-signal=CHLD sleep infinity >&2 </dev/null
"""

_PAUSE = f"""set -e
umask 022
env --default-signal=INT,QUIT unshare --net --uts --ipc -- sh -ec '
  hostname "$1"
  ip link set lo up
  echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
  ip link add eth0 type veth peer name "$3" netns 1
  ip addr add "$2/{PREFIX}" dev eth0
  ip link set eth0 up
  nsenter -t 1 -n -- ip link set "$3" master br0 up
  ip route add default via {GATEWAY}
  echo ready
  exec env --ignore-signal=CHLD sleep infinity >&2 </dev/null
' pause "$@" &
echo "pid=$!"
"""

_BACKGROUND = """umask 022
/usr/bin/env --default-signal=INT,QUIT "$@" {told} >&2 </dev/null &
echo "pid=$!"
"""

# Where the model's own mount namespace keeps what it was shown of private host paths. No source of a mount is ever
# below /sys, and nothing in the model needs the host's.
_WINDOW = "/sys"

_spawned: dict[int, subprocess.Popen[bytes]] = {}
"""Our own waiting children by the pid of the init below them, to be reaped when it is gone."""


class Namespaces:
    """A living model init and the ways into it."""

    def __init__(self, init: Process, users: UserMap, directory: Path) -> None:
        self.init = init
        self.users = users
        self._directory = directory
        self._windows: dict[tuple[str, int, int], str] = {}

    @classmethod
    def create(cls, directory: Path, maps: Sequence[UserMap], log: Path) -> Namespaces:
        """Return a new model init with the first of `maps` that works; `directory` will be visible inside.

        Raises:
            NamespacesError: none of them works on this machine; the message says why and the fix what to do.
        """
        init, users_ = _first(maps, log)
        namespaces = cls(init, users_, directory)
        try:
            if users_.mode is Mode.ROOT:
                namespaces._open_window()
        except BaseException:
            namespaces.kill()
            raise
        return namespaces

    def alive(self) -> bool:
        """Return whether the model init runs."""
        return self.init.alive()

    def enter(self, target: int | None = None, namespaces: str = "npm") -> list[str]:
        """Return the nsenter command that joins namespaces (nsenter's letters) of a host pid, by default the init's."""
        flags = [f"-{letter}" for letter in namespaces]
        return [process.tool("nsenter"), "-t", str(target or self.init.pid), *self.users.enter(), *flags, "--"]

    def pause(self, hostname: str, address: str, link: str, log: Path) -> Process:
        """Make a pod's network, host name and ipc namespaces and return the process that holds them."""
        argv = [*self.enter(), "sh", "-c", _PAUSE, "sh", hostname, address, link]
        result = process.run(argv, log=log)
        match = re.search(r"pid=(\d+)\n", result.out)
        if not match or "ready" not in result.out:
            raise SandboxError(f"cannot make the network of {hostname}: {tail(log)}")
        return self.process(int(match[1]))

    def background(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        target: int | None = None,
        namespaces: str = "npm",
        environment: dict[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        told: bool = False,
    ) -> tuple[Process, str]:
        """Start a command inside that outlives us, with its output in `log`.

        Returns the process and, if `told`, what it wrote to its descriptor 3 before closing that.
        """
        script = _BACKGROUND.format(told="3>&1" if told else "")
        sh = [*self.enter(target, namespaces), "/bin/sh", "-c", script, "sh", *argv]
        result = process.run(sh, log=log, environment=environment, pass_fds=pass_fds)
        # Two writers share the pipe: the number may stand in the middle of what was told.
        match = re.search(r"pid=(\d+)\n", result.out)
        if not match:
            raise SandboxError(f"cannot start {Path(argv[0]).name}: {tail(log)}")
        return self.process(int(match[1])), result.out.replace(match[0], "")

    def process(self, inner: int) -> Process:
        """Return the process with the pid `inner` of the model's pid namespace.

        Raises:
            SandboxError: there is none among the init's children and grandchildren.
        """
        generation = self.init.children()
        for _ in range(2):
            following: list[int] = []
            for pid in generation:
                seen = process.inner_pids(pid)
                found = Process.of(pid)
                if len(seen) > 1 and seen[1] == inner and found:
                    return found
                if found:
                    following += found.children()
            generation = following
        raise SandboxError(f"cannot find process {inner} of the model: it has ended")

    def inside(self, path: Path) -> str:
        """Return where processes of the model find a host path.

        Rootless modes see the host's own tree. Shifted root has no more rights there than anybody, so a path below a
        private directory is shown through a window: a bind mount that only the model's mount namespace has.

        Raises:
            SandboxError: the path does not exist, or is itself private to its owner.
        """
        if self.users.mode is not Mode.ROOT:
            if not path.exists():
                raise SandboxError(f"cannot mount {path}: it does not exist")
            return str(path)
        if path.is_relative_to(self._directory):
            return f"{_WINDOW}/model/{path.relative_to(self._directory)}"
        try:
            real = path.resolve(strict=True)
            info = real.stat()
        except OSError as error:
            raise SandboxError(f"cannot mount {path}: {error.strerror}") from None
        directory = stat.S_ISDIR(info.st_mode)
        needed = 0o5 if directory else 0o4
        if info.st_uid not in (self.users.root, self.users.root + users.COUNT) and info.st_mode & needed != needed:
            raise SandboxError(
                f"cannot mount {path}: only its owner may read it, and pods have users of their own",
                fix=f"chmod -R o+rX {real}",
            )
        if all(parent.stat().st_mode & 0o1 for parent in real.parents):
            return str(real)
        key = (str(real), info.st_dev, info.st_ino)
        if key not in self._windows:
            self._windows[key] = self._show(real, key, directory=directory)
        return self._windows[key]

    def _open_window(self) -> None:
        script = f"mount -t tmpfs -o mode=755,size=4m nuages {_WINDOW}; mkdir {_WINDOW}/model; "
        script += f'mount --rbind "$1" {_WINDOW}/model'
        self._as_host_root(script, self._directory)

    def _show(self, real: Path, key: tuple[str, int, int], *, directory: bool) -> str:
        # The inode is part of the name: what was deleted and made again is another thing to show.
        name = hashlib.sha256(repr(key).encode()).hexdigest()[:20]
        target = f"{_WINDOW}/{name}"
        mounts = Path(f"/proc/{self.init.pid}/mountinfo").read_text()
        if f" {target} " not in mounts:
            make = "mkdir -p" if directory else "touch"
            self._as_host_root(f'{make} {target}; mount --rbind "$1" {target}', real)
        return target

    def _as_host_root(self, script: str, argument: Path) -> None:
        # The host's root enters the mount namespace only: it has the rights there and still reads what is private.
        enter = [process.tool("nsenter"), "-t", str(self.init.pid), "-m", "--"]
        result = process.run([*enter, "sh", "-ec", script, "sh", str(argument)])
        if result.code:
            raise SandboxError(f"cannot show {argument} to the pods: {result.err.strip()}")

    def keep(self) -> None:
        """Let the model init outlive us, now that it is written down who it is; without this it ends when we do."""
        waiting = _spawned.get(self.init.pid)
        if waiting and waiting.stdin:
            waiting.stdin.write(b"keep\n")
            waiting.stdin.close()

    def kill(self) -> None:
        """Kill the model init, and with it everything of the model; return when it is gone."""
        self.init.kill()
        waiting = _spawned.pop(self.init.pid, None)
        if waiting:
            if waiting.stdin:
                waiting.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                waiting.wait(10)


def check(maps: Sequence[UserMap] | None = None) -> None:
    """Try whether this machine lets its user make a model; nothing of the trial stays.

    Raises:
        NamespacesError: it does not; the message says why and the fix what to do.
        SandboxError: a system tool is missing.
    """
    with tempfile.TemporaryDirectory(prefix="nuages-") as scratch:
        init, users_ = _first(users.candidates() if maps is None else maps, Path(scratch) / "log")
        Namespaces(init, users_, Path(scratch)).kill()


def _first(maps: Sequence[UserMap], log: Path) -> tuple[Process, UserMap]:
    failures: list[str] = []
    for users_ in maps:
        try:
            return _start(users_, log), users_
        except NamespacesError as error:
            failures.append(str(error))
    raise diagnosis.explain(failures)


def _start(users_: UserMap, log: Path) -> Process:
    with users.holder(users_) as pid:
        enter = [process.tool("nsenter"), "-t", str(pid), *users_.enter(), "--"]
        process.tool("ip")
        process.tool("hostname")
        unshare = [
            process.tool("unshare"),
            "--net",
            "--pid",
            "--ipc",
            "--mount",
            "--propagation",
            "slave",
            "--mount-proc",
        ]
        child = process.spawn([*enter, *unshare, "--fork", "--", "sh", "-c", _INIT], log=log)
        assert child.stdout and child.stdin
        try:
            ready = child.stdout.readline()  # not to the end: unshare keeps the pipe as long as the model lives
        except BaseException:  # Ctrl-C: what unshare has started would stay
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise
        child.stdout.close()
    if ready.strip() != b"ready":
        child.stdin.close()
        child.kill()
        child.wait()
        raise NamespacesError(f"cannot make the model's namespaces: {tail(log)}")
    own = Process.of(child.pid)
    pids = own.children() if own else []
    init = Process.of(pids[0]) if pids else None
    if init is None:
        child.wait()
        raise NamespacesError(f"cannot make the model's namespaces: {tail(log)}")
    _spawned[init.pid] = child
    return init


def tail(log: Path, lines: int = 3) -> str:
    """Return the last lines of a log as one line of text."""
    try:
        text = log.read_text(errors="replace").strip()
    except OSError:
        text = ""
    return "; ".join(text.splitlines()[-lines:]) or "no reason given"
