"""All models of one user: opened, made, removed, kept and put back. How they are served: serving.py."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import replace
from pathlib import Path

from nuages.engine import snapshots
from nuages.engine.charms import interpreter_for
from nuages.engine.errors import EngineError, NotFound
from nuages.engine.hooks.install import install_tools
from nuages.engine.names import is_name
from nuages.engine.pods import Model as Pods
from nuages.engine.runner import ModelRunner
from nuages.engine.service import Service
from nuages.engine.snapshots import Snapshot
from nuages.engine.state import PAUSED, Model
from nuages.engine.store import Store, holds_model
from nuages.engine.threads import blocking

logger = logging.getLogger(__name__)


class Daemon:
    """All models of one user."""

    def __init__(
        self, directory: Path, services: Mapping[str, Service], shutdown: Callable[[], None] = lambda: None
    ) -> None:
        """`shutdown` ends the daemon's process after the present answer; pods go on."""
        self.directory = directory
        self.shutdown = shutdown
        self.services = services
        self.runners: dict[str, ModelRunner] = {}
        self.broken: dict[str, str] = {}
        self._tools: dict[str, Path] = {}
        self._lock = asyncio.Lock()
        self._busy: dict[str, str] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    async def open(self) -> None:
        """Take up every model. One that cannot be opened does not keep the others from working."""
        models = self.directory / "models"
        models.mkdir(mode=0o700, exist_ok=True)
        await asyncio.to_thread(snapshots.recover, self.directory)
        for path in sorted(models.iterdir()):
            if not is_name(path.name) or not holds_model(path / "model.db"):
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
        if not is_name(name):
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


def _with_project(model: Model, project: str) -> Model:
    return replace(model, project=project)
