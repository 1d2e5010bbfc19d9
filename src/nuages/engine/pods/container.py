"""A workload container: the real Pebble as PID 1 of a bubblewrap, on a copy of an image."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import ops.pebble

from nuages.engine import programs
from nuages.engine.pods import credentials
from nuages.engine.pods.paths import existing
from nuages.engine.pods.record import ContainerRecord
from nuages.engine.pods.spec import ContainerSpec
from nuages.engine.sandbox import bubblewrap, process, roots, terminal
from nuages.engine.sandbox.bubblewrap import Bind
from nuages.engine.sandbox.errors import SandboxError
from nuages.engine.sandbox.image import Mount
from nuages.engine.sandbox.namespaces import tail
from nuages.engine.sandbox.users import DAEMON, Mode
from nuages.engine.threads import blocking

if TYPE_CHECKING:
    from nuages.engine.pods.pod import Pod

T = TypeVar("T")

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
POD_NAMESPACES = "npuim"
_FIRST_HEALTH_PORT = 38813


class Container:
    """A workload container with Pebble as PID 1."""

    def __init__(self, pod: Pod, spec: ContainerSpec, index: int) -> None:
        self.name = spec.name
        self._pod = pod
        self._spec = spec
        self._health_port = _FIRST_HEALTH_PORT + index
        self.directory = pod.directory / "containers" / spec.name
        self._lock = asyncio.Lock()

    @property
    def socket(self) -> Path:
        """Return Pebble's socket on the host."""
        return self.directory / "socket" / "pebble.socket"

    @property
    def _record(self) -> ContainerRecord:
        return self._pod.record.containers.setdefault(self.name, ContainerRecord())

    @property
    def pid(self) -> int | None:
        """Return the host pid of the container's Pebble, None when it is dead."""
        pebble = self._record.pebble
        return pebble.pid if pebble and pebble.alive() else None

    def alive(self) -> bool:
        """Return whether the container's Pebble runs."""
        return self.pid is not None

    async def ended(self) -> None:
        """Return when the container's Pebble is dead."""
        pebble = self._record.pebble
        if pebble is None:
            return
        try:
            handle = os.pidfd_open(pebble.pid)
        except ProcessLookupError:
            return
        loop = asyncio.get_running_loop()
        gone = asyncio.Event()
        try:
            if not pebble.alive():
                return
            loop.add_reader(handle, gone.set)
            await gone.wait()
        finally:
            loop.remove_reader(handle)
            os.close(handle)

    async def restart(self) -> None:
        """Replace a dead (or living) Pebble: a fresh root as on Kubernetes, the same volumes and the same address."""
        async with self._lock:
            await blocking(self.launch)

    async def call(self, function: Callable[[ops.pebble.Client], T]) -> T:
        """Run `function` with a client of this Pebble, in a thread of its own; the client is the container's root."""
        users = self._pod.model.namespaces.users
        uid = users.root if users.mode is Mode.ROOT else None

        def work() -> T:
            with existing(self.socket) as path:
                return function(ops.pebble.Client(socket_path=path))

        return await credentials.call(work, uid=uid)

    def launch(self) -> None:
        """Start the container from its image and wait for Pebble's socket (blocking)."""
        self.kill()
        namespaces = self._pod.model.namespaces
        root, sockets = self.directory / "root", self.directory / "socket"
        self._pod.model.remove(root)
        for path in (self.directory, sockets):
            if not path.exists():
                roots.directory(path)
        self.socket.unlink(missing_ok=True)
        image = self._spec.image
        mounts = (
            Mount(sockets, "/charm/container", writable=True),
            Mount(programs.ensure("pebble")["pebble"], "/charm/bin/pebble"),
            *self._pod.files(),
            *image.mounts,
            *self._spec.volumes,
        )
        lent = roots.make(image, root, [(mount.target, mount.source.is_dir()) for mount in mounts])
        self._pod.model.own(sockets)
        self._pod.model.own(root)
        for volume in self._spec.volumes:
            self._pod.model.own(volume.source)
        if namespaces.users.mode is not Mode.SINGLE:
            for path, owner in image.owners.items():
                self._give(root, path, owner)
        binds = [Bind(namespaces.inside(source), target) for source, target in lent]
        binds += [Bind(namespaces.inside(m.source), m.target, m.writable) for m in mounts]
        pebble = ["/charm/bin/pebble", "run", "--create-dirs", "--hold", "--http", f":{self._health_port}"]
        bwrap, mode = self._pod.model.bwrap(), namespaces.users.mode
        argv = bubblewrap.workload(bwrap, mode, namespaces.inside(root), binds, pebble)
        log = self.directory / "log"
        monitor, told = namespaces.background(
            argv,
            log=log,
            target=self._pod.pause.pid,
            namespaces=POD_NAMESPACES,
            environment=self._environment(),
            told=True,
        )
        self._record.monitor = monitor
        self._record.pebble = None
        try:
            child = int(json.loads(told)["child-pid"])
        except (ValueError, KeyError):
            raise SandboxError(f"cannot start container {self.name} of {self._pod.unit}: {tail(log)}") from None
        self._record.pebble = namespaces.process(child)
        self._pod.model.save()
        self.wait()

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": PATH,
            "HOME": "/root",
            "HOSTNAME": self._pod.hostname,
            "LANG": "C.UTF-8",
            **self._spec.image.environment,
            "JUJU_CONTAINER_NAME": self.name,
            "PEBBLE": "/charm/container/pebble",
            "PEBBLE_SOCKET": "/charm/container/pebble.socket",
            "PEBBLE_COPY_ONCE": "/var/lib/pebble/default",
        }

    def _give(self, root: Path, path: str, owner: int) -> None:
        namespaces = self._pod.model.namespaces
        target = f"{namespaces.inside(root)}/{path.lstrip('/')}"
        result = process.run([*namespaces.enter(), "/bin/chown", "-hR", f"{owner}:{owner}", "--", target])
        if result.code:
            raise SandboxError(f"cannot give {path} of container {self.name} its owner: {result.err.strip()}")

    def wait(self, seconds: float = 20) -> None:
        """Wait until Pebble answers (blocking).

        Raises:
            SandboxError: it has died, or does not answer in `seconds`.
        """
        for _ in process.deadline(seconds):
            if not self.alive():
                break
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe, existing(self.socket) as path:
                probe.connect(path)
                return
        raise SandboxError(
            f"cannot start Pebble in container {self.name} of {self._pod.unit}: {tail(self.directory / 'log')}"
        )

    def kill(self, grace: float = 0) -> None:
        """End every process of the container (blocking): SIGTERM, then SIGKILL after `grace` seconds."""
        record = self._record
        if grace and record.pebble and record.pebble.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(record.pebble.pid, signal.SIGTERM)
            for _ in process.deadline(grace):
                if not record.pebble.alive():
                    break
        for one in (record.pebble, record.monitor):
            if one:
                one.kill()

    def enter(self, argv: Sequence[str], *, tty: bool) -> list[str]:
        """Return the command to execute on the host that runs `argv` in the container."""
        return terminal.interactive(self._inside(), argv, {**self._environment(), "LANG": "C.UTF-8"}, tty=tty)

    def enter_privately(self, argv: Sequence[str], *, given: Collection[str], tty: bool) -> list[str]:
        """Return the command that runs `argv` as the services' user, with its caller's environment besides.

        That holds what no command line may show: the variables named `given`, and nothing else.
        """
        if self._pod.model.namespaces.users.mode is not Mode.SINGLE:
            argv = ["/usr/bin/setpriv", f"--reuid={DAEMON}", f"--regid={DAEMON}", "--clear-groups", "--", *argv]
        own = {**self._environment(), "HOME": "/tmp", "LANG": "C.UTF-8"}  # noqa: S108  # the container's own
        settings = {name: value for name, value in own.items() if name not in given}
        return terminal.interactive(self._inside(), argv, settings, tty=tty, inherit=True)

    def _inside(self) -> list[str]:
        """Return the start of a host command whose rest runs in the container."""
        pid = self.pid
        if pid is None:
            raise SandboxError(f"cannot enter container {self.name} of {self._pod.unit}: it is not running")
        namespaces = self._pod.model.namespaces
        if namespaces.users.mode is Mode.SINGLE:
            # Two steps: the network belongs to the model's user namespace, the files to the container's own below it.
            inner = process.inner_pids(pid)[1]
            command = [*namespaces.enter(), process.tool("nsenter"), "-t", str(inner), *namespaces.users.enter()]
            return [*command, "-n", "-p", "-u", "-i", "-m", "-r", "-w", "--"]
        return [*namespaces.enter(pid, "npuimrw"), *bubblewrap.limited()]
