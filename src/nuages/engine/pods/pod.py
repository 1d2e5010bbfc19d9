"""One unit's pod: its containers, the charm's hooks, and the ways in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import ops.pebble

from nuages.engine.pods import credentials
from nuages.engine.pods.record import ContainerRecord, PodRecord
from nuages.engine.pods.spec import ContainerSpec
from nuages.engine.sandbox import bubblewrap, process, roots, terminal
from nuages.engine.sandbox.bubblewrap import Bind
from nuages.engine.sandbox.errors import SandboxError
from nuages.engine.sandbox.image import Mount
from nuages.engine.sandbox.namespaces import tail
from nuages.engine.sandbox.process import Process
from nuages.engine.sandbox.users import Mode

if TYPE_CHECKING:
    from nuages.engine.pods.model import Model

T = TypeVar("T")

Output = Callable[[str, bytes], None]
"""Called with "stdout" or "stderr" and the bytes as they come."""

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_POD_NAMESPACES = "npuim"
_FIRST_HEALTH_PORT = 38813
_SOCKET_PATH_LIMIT = 107


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
            await asyncio.to_thread(self.launch)

    async def call(self, function: Callable[[ops.pebble.Client], T]) -> T:
        """Run `function` with a client of this Pebble, in a thread of its own; the client is the container's root."""
        users = self._pod.model.namespaces.users
        uid = users.root if users.mode is Mode.ROOT else None

        def work() -> T:
            with self._short_path() as path:
                return function(ops.pebble.Client(socket_path=path))

        return await credentials.call(work, uid=uid)

    @contextlib.contextmanager
    def _short_path(self):
        # A Unix socket's address holds 107 bytes, and state directories can be deep.
        if len(os.fsencode(self.socket)) <= _SOCKET_PATH_LIMIT:
            yield str(self.socket)
            return
        directory = os.open(self.socket.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{directory}/{self.socket.name}"
        finally:
            os.close(directory)

    def launch(self) -> None:
        """Start the container from its image and wait for Pebble's socket (blocking)."""
        self.kill()
        namespaces, programs = self._pod.model.namespaces, self._pod.model.programs()
        root, sockets = self.directory / "root", self.directory / "socket"
        self.directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._pod.model.remove(root)
        sockets.mkdir(mode=0o755, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        image = self._spec.image
        mounts = (
            Mount(sockets, "/charm/container", writable=True),
            Mount(programs["pebble"], "/charm/bin/pebble"),
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
        argv = bubblewrap.workload(
            namespaces.inside(programs["bwrap"]), namespaces.users.mode, namespaces.inside(root), binds, pebble
        )
        log = self.directory / "log"
        monitor, told = namespaces.background(
            argv,
            log=log,
            target=self._pod.pause.pid,
            namespaces=_POD_NAMESPACES,
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
        self._wait(log)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": _PATH,
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

    def _wait(self, log: Path, seconds: float = 20) -> None:
        for _ in process.deadline(seconds):
            if not self.alive():
                break
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe, self._short_path() as path:
                probe.connect(path)
                return
        raise SandboxError(f"cannot start Pebble in container {self.name} of {self._pod.unit}: {tail(log)}")

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
        """Return the command that runs `argv` in the container, to be executed on the host with a terminal or without."""
        pid = self.pid
        if pid is None:
            raise SandboxError(f"cannot enter container {self.name} of {self._pod.unit}: it is not running")
        namespaces = self._pod.model.namespaces
        environment = {**self._environment(), "LANG": "C.UTF-8"}
        if namespaces.users.mode is Mode.SINGLE:
            # Two steps: the network belongs to the model's user namespace, the files to the container's own below it.
            inner = process.inner_pids(pid)[1]
            command = [*namespaces.enter(), process.tool("nsenter"), "-t", str(inner), *namespaces.users.enter()]
            command += ["-n", "-p", "-u", "-i", "-m", "-r", "-w", "--"]
        else:
            command = namespaces.enter(pid, "npuimrw")
        return terminal.interactive(command, argv, environment, tty=tty)


class Pod:
    """A unit's pod."""

    def __init__(self, model: Model, record: PodRecord) -> None:
        self.model = model
        self.record = record
        self.unit = record.spec.unit
        self.hostname = self.unit.replace("/", "-")
        self.fqdn = record.spec.fqdn
        self.address = record.address
        self.directory = model.pods_directory / self.hostname
        self.containers: Mapping[str, Container] = {
            spec.name: Container(self, spec, index) for index, spec in enumerate(record.spec.containers)
        }

    @property
    def pause(self) -> Process:
        """Return the process that holds the pod's namespaces."""
        if self.record.pause is None:
            raise SandboxError(f"cannot enter the pod of {self.unit}: it is not running")
        return self.record.pause

    def alive(self) -> bool:
        """Return whether the pod has its namespaces; single containers may be dead."""
        return self.record.pause is not None and self.record.pause.alive()

    def files(self) -> tuple[Mount, ...]:
        """Return the files of the pod's own /etc that each of its containers sees."""
        return tuple(
            Mount(self.directory / "etc" / name, f"/etc/{name}") for name in ("hosts", "hostname", "resolv.conf")
        )

    def write_hosts(self, text: str) -> None:
        """Write /etc/hosts in place: containers have the file itself mounted, and a rename would leave them the old one."""
        path = self.directory / "etc" / "hosts"
        with path.open("r+") as stream:
            stream.write(text)
            stream.truncate()

    async def run(
        self,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str],
        cwd: str = "/",
        mounts: Sequence[Mount] = (),
        on_output: Output | None = None,
    ) -> int:
        """Run a command in the pod's charm container and return its exit code (128 + the signal's number when killed).

        Its environment is exactly `environment`. It dies with this process, and when the call is cancelled.
        """
        command = await asyncio.to_thread(self._charm, argv, cwd, mounts)
        child = await process.start([process.tool("setpriv"), "--pdeathsig", "KILL", *command], environment=environment)
        assert child.stdout and child.stderr

        async def carry(name: str, stream: asyncio.StreamReader) -> None:
            while data := await stream.read(65536):
                if on_output:
                    on_output(name, data)

        try:
            await asyncio.gather(carry("stdout", child.stdout), carry("stderr", child.stderr))
            code = await child.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await asyncio.shield(child.wait())
            raise
        return code if code >= 0 else 128 - code

    def _charm(self, argv: Sequence[str], cwd: str, mounts: Sequence[Mount]) -> list[str]:
        namespaces, programs = self.model.namespaces, self.model.programs()
        root = self.directory / "charm"
        everything = [
            *self.files(),
            *(
                Mount(c.directory / "socket", f"/charm/containers/{c.name}", writable=True)
                for c in self.containers.values()
            ),
            *mounts,
        ]
        binds: list[Bind] = []
        for mount in everything:
            kind = mount.source.stat().st_mode
            if mount.writable or stat.S_ISSOCK(kind):
                self.model.own(mount.source)
            roots.make_target(root, mount.target, directory=stat.S_ISDIR(kind))
            binds.append(Bind(namespaces.inside(mount.source), mount.target, mount.writable))
        binds += [Bind(namespaces.inside(Path(source)), target) for source, target in self._lent()]
        argv = bubblewrap.charm(namespaces.inside(programs["bwrap"]), namespaces.inside(root), binds, cwd, argv)
        return [*namespaces.enter(self.pause.pid, _POD_NAMESPACES), *argv]

    def _lent(self) -> list[tuple[str, str]]:
        path = self.directory / "charm.json"
        return [(source, target) for source, target in json.loads(path.read_text())]

    def enter(
        self,
        container: str | None,
        argv: Sequence[str],
        *,
        tty: bool,
        mounts: Sequence[Mount] = (),
        environment: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Return the command to execute on the host for an interactive `argv` in a container (None: the charm's).

        `mounts` and `environment` (nothing secret: it is visible in the command) are for the charm container.

        Raises:
            SandboxError: there is no such container, or it is not running.
        """
        if container is not None:
            if container not in self.containers:
                names = ", ".join(self.containers) or "none"
                raise SandboxError(f"cannot enter {self.unit}: it has no container {container!r} (it has: {names})")
            return self.containers[container].enter(argv, tty=tty)
        own = {"PATH": _PATH, "HOME": "/root", "LANG": "C.UTF-8", **(environment or {})}
        marker = "--nuages-argv--"
        command = self._charm([marker], "/", mounts)
        return terminal.interactive(command[: command.index(marker)], argv, own, tty=tty)

    def make(self) -> None:
        """Make the pod's directory, namespaces and containers (blocking)."""
        etc, charm = self.directory / "etc", self.directory / "charm"
        etc.mkdir(mode=0o755, parents=True)
        for path in (self.directory, etc):
            path.chmod(0o755)
        (etc / "hosts").write_text("")
        (etc / "hostname").write_text(self.hostname + "\n")
        (etc / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        for path in etc.iterdir():
            path.chmod(0o644)
        lent = roots.make(None, charm, [(mount.target, False) for mount in self.files()])
        (self.directory / "charm.json").write_text(json.dumps([(str(source), target) for source, target in lent]))
        self.model.own(charm)
        namespaces = self.model.namespaces
        link = f"v{self.record.index}"
        self.record.pause = namespaces.pause(self.hostname, self.address, link, self.directory / "pause.log")
        self.model.save()
        self.model.write_names()

    def kill(self, grace: float = 0) -> None:
        """End every process of the pod (blocking)."""
        for container in self.containers.values():
            container.kill(grace)
        if self.record.pause:
            self.record.pause.kill()

    def __repr__(self) -> str:
        return f"<Pod {self.unit} {self.address}>"
