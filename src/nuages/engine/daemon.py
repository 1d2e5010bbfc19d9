"""The daemon: one per user and state directory, started on demand, found again after a crash."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import logging.handlers
import os
import re
import signal
import socket
import stat
import time
import uuid
from collections.abc import AsyncGenerator, Generator, Mapping
from dataclasses import replace
from pathlib import Path

import uvicorn

from nuages.engine import snapshots
from nuages.engine.charms import interpreter_for
from nuages.engine.errors import EngineError, NotFound
from nuages.engine.hooks.install import install_tools
from nuages.engine.pods import Model as Pods
from nuages.engine.runner import PAUSED, ModelRunner
from nuages.engine.sandbox.users import remove
from nuages.engine.service import Service
from nuages.engine.snapshots import Snapshot
from nuages.engine.state import Model
from nuages.engine.store import Store, holds_model
from nuages.engine.threads import blocking

logger = logging.getLogger(__name__)

SOCKET_NAME = "daemon.sock"
PID_NAME = "daemon.pid"
LOG_NAME = "daemon.log"
WATCH = 1.0
"""Seconds between two looks at whether the state directory is still there."""
MODEL_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class Daemon:
    """All models of one user."""

    def __init__(self, directory: Path, services: Mapping[str, Service]) -> None:
        self.directory = directory
        self.services = services
        self.runners: dict[str, ModelRunner] = {}
        self.broken: dict[str, str] = {}
        self._tools: dict[str, Path] = {}
        self._lock = asyncio.Lock()
        self._busy: dict[str, str] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self.server: uvicorn.Server | None = None

    async def open(self) -> None:
        """Take up every model. One that cannot be opened does not keep the others from working."""
        models = self.directory / "models"
        models.mkdir(mode=0o700, exist_ok=True)
        await asyncio.to_thread(snapshots.recover, self.directory)
        for path in sorted(models.iterdir()):
            if not MODEL_NAME.fullmatch(path.name) or not holds_model(path / "model.db"):
                continue
            try:
                await self._open(path.name, None)
            except Exception as error:
                logger.exception("model %s", path.name)
                self.broken[path.name] = str(error)

    async def close(self) -> None:
        """Leave every model, once what works on it alone has ended; pods go on."""
        await self._idle.wait()
        await asyncio.gather(*(runner.close() for runner in self.runners.values()))

    async def abandon(self) -> None:
        """Leave every model and kill its pods; files are not touched."""
        await asyncio.gather(*(runner.abandon() for runner in self.runners.values()))
        self.runners = {}

    def runner(self, name: str) -> ModelRunner:
        """Return a model.

        Raises:
            NotFound: there is none of this name.
        """
        found = self.runners.get(name)
        if found is None:
            if name in self.broken:
                raise EngineError(
                    f"cannot open model {name}: {self.broken[name]}", fix=f"nuages down -m {name} --purge"
                )
            known = ", ".join(sorted(self.runners)) or "none"
            raise NotFound(f"model {name} not found", fix=f"models: {known}; `nuages up` in a project makes one")
        return found

    async def create(self, name: str, project: str | None) -> bool:
        """Make a model unless it is there; return whether it was made.

        Raises:
            EngineError: the name is no model's name.
        """
        async with self._lock:
            if name in self.runners:
                runner = self.runners[name]
                if project is not None and runner.state.project != project:
                    runner.world.apply(lambda model: _with_project(model, project))
                return False
            self.check_name(name)
            if name in self.broken:
                self.runner(name)
            now = time.time()
            await self._open(name, Model(name, str(uuid.uuid4()), project=project, created=now))
            return True

    async def purge(self, name: str) -> None:
        """Remove a model and everything of it.

        Raises:
            NotFound: there is none of this name.
        """
        if name not in self.broken:
            self.runner(name)
        async with self._lock:
            # Somebody else may have removed it meanwhile, as a command does that was interrupted and said again.
            if name not in self.broken and name not in self.runners:
                return
            async with self._alone(name, "it is being removed"):
                if name in self.broken:
                    await Pods(self.directory / "models" / name, name).destroy()
                    del self.broken[name]
                else:
                    await self.runners[name].purge()
                    del self.runners[name]
                await asyncio.to_thread(snapshots.discard, self.directory, name)

    async def snapshot(self, name: str, snapshot: str) -> Snapshot:
        """Stop a model, copy all of it into a snapshot, and start it again if it ran.

        Raises:
            NuagesError: the name cannot be, or something cannot be copied; the model is as before.
        """
        async with self._alone(name, "a snapshot of it is being made"):
            runner = self.runner(name)
            snapshots.check_name(self.directory, name, snapshot)
            async with runner.paused():
                return await blocking(snapshots.take, self.directory, runner.directory, runner.state, snapshot)

    async def restore(self, name: str, snapshot: str) -> Snapshot:
        """Put a model back to a snapshot; what it was is kept as the snapshot `before-restore`.

        Raises:
            NotFound: there is no such snapshot.
            NuagesError: something cannot be copied; the model is as before.
        """
        async with self._alone(name, "it is being put back to a snapshot"):
            runner = self.runner(name)
            found = snapshots.find(self.directory, name, snapshot)
            await blocking(snapshots.mend, self.directory, name)
            async with runner.paused() as stopped:
                fresh = await blocking(
                    snapshots.prepare, self.directory, runner.directory, found, stopped=stopped or PAUSED
                )
                await runner.close()
                try:
                    await blocking(snapshots.swap, self.directory, runner.directory, fresh)
                finally:
                    await blocking(snapshots.mend, self.directory, name)
                    await self._reopen(name)
            return found

    async def remove_snapshot(self, name: str, snapshot: str) -> None:
        """Remove a snapshot.

        Raises:
            NotFound: there is no such snapshot.
            NuagesError: its files cannot be removed.
        """
        async with self._alone(name, "a snapshot of it is being removed"):
            self.runner(name)
            await blocking(snapshots.discard, self.directory, name, snapshot)

    def check_idle(self, name: str) -> None:
        """Refuse to change a model on which somebody works alone.

        Raises:
            EngineError: with what is done there.
        """
        if name in self._busy:
            raise EngineError(
                f"cannot change model {name}: {self._busy[name]}",
                fix="run the same command again when that has ended",
                code="busy",
            )

    @contextlib.asynccontextmanager
    async def _alone(self, name: str, doing: str) -> AsyncGenerator[None]:
        self.check_idle(name)
        self._busy[name] = doing
        self._idle.clear()
        try:
            yield
        finally:
            del self._busy[name]
            if not self._busy:
                self._idle.set()

    def check_name(self, name: str) -> None:
        """Refuse what is no model's name.

        Raises:
            EngineError: with the rule.
        """
        if not MODEL_NAME.fullmatch(name) or len(name) > 63:
            raise EngineError(
                f'cannot make model "{name}": a name is made of lower case letters, digits and single dashes',
                code="model-name",
            )

    def tools(self, python: str) -> Path:
        """Return the directory of hook tools for a charm of this Python version."""
        if python not in self._tools:
            self._tools[python] = install_tools(self.directory / "tools", interpreter_for(python))
        return self._tools[python]

    def taken_ports(self) -> set[int]:
        """Return the host ports that any model has chosen, also one that is stopped."""
        return {port for runner in self.runners.values() for port in runner.state.published.values()}

    def shutdown(self) -> None:
        """End the daemon after the present answer."""
        if self.server is not None:
            self.server.should_exit = True

    async def _open(self, name: str, create: Model | None) -> None:
        directory = self.directory / "models" / name
        if create:
            directory.mkdir(mode=0o700, exist_ok=True)
        store = Store(directory / "model.db", create=create)
        runner = ModelRunner(directory, store, self.services, tools=self.tools, taken_ports=self.taken_ports)
        await runner.open()
        self.runners[name] = runner

    async def _reopen(self, name: str) -> None:
        """Open a model whose files were replaced; one that cannot be opened is among the broken ones."""
        try:
            await self._open(name, None)
        except Exception as error:
            del self.runners[name]
            self.broken[name] = str(error)
            raise


def main(services: Mapping[str, Service], directory: Path) -> None:
    """Serve until told to stop.

    Raises:
        EngineError: the state directory is another user's, or a daemon runs already.
    """
    prepare(directory)
    with _only_one(directory / PID_NAME):
        _log_to(directory / LOG_NAME)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(services, directory))


async def serve(services: Mapping[str, Service], directory: Path) -> None:
    """Open the models, then answer on the socket."""
    from nuages.engine.api.app import make_app
    from nuages.engine.api.peers import OwnPeersOnly

    daemon = Daemon(directory, services)
    listener = listen(directory / SOCKET_NAME)
    ours = _identity(directory / SOCKET_NAME)
    config = uvicorn.Config(
        make_app(daemon),
        http=OwnPeersOnly,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    daemon.server = uvicorn.Server(config)
    watch = asyncio.create_task(_leave_when_removed(daemon))
    try:
        await daemon.open()
        logger.info("serving %s", directory)
        await daemon.server.serve(sockets=[listener])
    finally:
        watch.cancel()
        await daemon.close()
        if _identity(directory / SOCKET_NAME) == ours:
            (directory / SOCKET_NAME).unlink()
        logger.info("stopped")


async def _leave_when_removed(daemon: Daemon) -> None:
    """End the daemon when its files are gone: without its socket nobody reaches it.

    Without the state directory nobody could ever stop the pods again, so they end too.
    """
    lock, door = daemon.directory / PID_NAME, daemon.directory / SOCKET_NAME
    before = _identity(lock), _identity(door)
    while (_identity(lock), _identity(door)) == before:
        await asyncio.sleep(WATCH)
    await asyncio.sleep(WATCH)  # whoever removes the directory may be half through
    if _identity(lock) != before[0]:
        logger.error("%s was removed: the daemon and its pods end", daemon.directory)
        await daemon.abandon()
        if _identity(lock) is None:  # no other daemon came in its place
            await asyncio.to_thread(remove, daemon.directory)  # what is left are files of the pods' users
    else:
        logger.error("%s was removed: the daemon ends, its pods go on", door)
    daemon.shutdown()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def prepare(directory: Path) -> None:
    """Make the state directory, or check that it is private and ours.

    Raises:
        EngineError: it belongs to another user, as when sudo keeps HOME.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.stat()
    if found.st_uid != os.geteuid():
        raise EngineError(
            f"cannot use {directory}: it belongs to user {found.st_uid}, and you are {os.geteuid()}",
            fix="run nuages as that user, or with sudo -H, or set XDG_STATE_HOME to a directory of your own",
            code="foreign-state",
        )
    if stat.S_IMODE(found.st_mode) != 0o700:
        directory.chmod(0o700)


def listen(path: Path) -> socket.socket:
    """Return the listening socket, only for its owner."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        listener.bind(f"/proc/self/fd/{directory}/{path.name}")
    finally:
        os.close(directory)
    path.chmod(0o600)
    listener.listen(128)
    return listener


@contextlib.contextmanager
def _only_one(path: Path) -> Generator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode().strip()
            raise EngineError(f"cannot start the engine: it runs already (pid {holder})", code="running") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _log_to(path: Path) -> None:
    path.touch(mode=0o600)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=5_000_000, backupCount=2)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _with_project(model: Model, project: str) -> Model:
    return replace(model, project=project)
