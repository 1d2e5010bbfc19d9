"""One unit's pod: its namespaces, the charm's hooks, and the ways in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nuages.engine.pods.container import PATH, POD_NAMESPACES, Container
from nuages.engine.pods.record import PodRecord
from nuages.engine.sandbox import beneath, bubblewrap, process, roots, terminal
from nuages.engine.sandbox.bubblewrap import Bind
from nuages.engine.sandbox.errors import SandboxError
from nuages.engine.sandbox.image import Mount
from nuages.engine.sandbox.process import Process

if TYPE_CHECKING:
    from nuages.engine.pods.model import Model

Output = Callable[[str, bytes], None]
"""Called with "stdout" or "stderr" and the bytes as they come."""


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

    def usable(self) -> bool:
        """Return whether each container was started once and, if it lives, answers (blocking).

        An engine may have died while it made the pod.
        """
        for name, container in self.containers.items():
            found = self.record.containers.get(name)
            if found is None or found.pebble is None:
                return False
            if container.alive():
                try:
                    container.wait()
                except SandboxError:
                    return False
        return True

    def files(self) -> tuple[Mount, ...]:
        """Return the files of the pod's own /etc that each of its containers sees."""
        return tuple(
            Mount(self.directory / "etc" / name, f"/etc/{name}") for name in ("hosts", "hostname", "resolv.conf")
        )

    def write_hosts(self, text: str) -> None:
        """Write /etc/hosts in place: containers have the file itself mounted, a rename would leave them the old one."""
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
        namespaces = self.model.namespaces
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
            beneath.make_target(root, mount.target, folder=stat.S_ISDIR(kind))
            binds.append(Bind(namespaces.inside(mount.source), mount.target, mount.writable))
        binds += [Bind(namespaces.inside(Path(source)), target) for source, target in self._lent()]
        argv = bubblewrap.charm(self.model.bwrap(), namespaces.inside(root), binds, cwd, argv)
        return [*namespaces.enter(self.pause.pid, POD_NAMESPACES), *argv]

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
                first = next(iter(self.containers), "")
                there = f"--container {first}, or none for the charm's own" if first else ""
                raise SandboxError(
                    f"cannot enter {self.unit}: it has no container {container!r} (it has: {names})", fix=there
                )
            return self.containers[container].enter(argv, tty=tty)
        own = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", **(environment or {})}
        marker = "--nuages-argv--"
        command = self._charm([marker], "/", mounts)
        return terminal.interactive(command[: command.index(marker)], argv, own, tty=tty)

    def make(self) -> None:
        """Make the pod's directory, namespaces and containers (blocking)."""
        etc, charm = self.directory / "etc", self.directory / "charm"
        for path in (self.directory, self.directory / "containers", etc):
            roots.directory(path)
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
        if self.record.outward:
            self.record.outward.kill()
        if self.record.pause:
            self.record.pause.kill()

    def __repr__(self) -> str:
        return f"<Pod {self.unit} {self.address}>"
