"""What an agent shares with its model: the state, the pods, the log, the paths. Composed by `runner`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nuages.engine import changes, loglevels
from nuages.engine.charm import empty
from nuages.engine.config import MODEL_OPTIONS
from nuages.engine.debuglog import DebugLog, entity_name
from nuages.engine.pods import Model as Pods
from nuages.engine.service import Service
from nuages.engine.state import Model
from nuages.engine.store import Store

_KEPT = MODEL_OPTIONS["logging-config"]


@dataclass
class World:
    """One model's things. `news` is called when an agent's sight of its pod has changed."""

    directory: Path
    store: Store
    pods: Pods
    services: Mapping[str, Service]
    debug_log: DebugLog
    tools: Callable[[str], Path]
    taken_ports: Callable[[], set[int]]
    news: Callable[[], None]
    live: dict[str, list[str]] = field(default_factory=empty)
    publishing: asyncio.Lock = field(default_factory=asyncio.Lock)
    preparing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def state(self) -> Model:
        """The model as last committed."""
        return self.store.state

    def apply(self, write: Callable[[Model], Model]) -> None:
        """Commit what `write` makes of the model."""
        self.store.commit(write(self.store.state))

    def log(self, unit: str, level: str, module: str, message: str) -> None:
        """Write to the debug-log for a unit what the model option `logging-config` keeps."""
        level = level if level in loglevels.LEVELS else "INFO"
        if loglevels.keeps(str(self.state.config.get(_KEPT.name, _KEPT.default)), module, level):
            self.debug_log.write(level, entity_name(unit), module, message)

    def unit_directory(self, unit: str) -> Path:
        """Return where a unit's charm, agent socket and resources are."""
        return self.directory / "units" / unit.replace("/", "-")

    def volume(self, unit: str, name: str) -> Path:
        """Return the host directory of a unit's volume, made when missing."""
        path = self.directory / "volumes" / unit.replace("/", "-") / name
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
        return path

    # tasks of the changes that wait for a unit

    def begin_tasks(self, unit: str, summary: str, *, change: str = "") -> list[str]:
        """Add a task to one change, or to every change that waits for the unit's application; return their ids."""
        state, tasks = self.state, list[str]()
        for change_id in [change] if change in state.changes else changes.open_for(state, unit.partition("/")[0]):
            state, task = changes.add_task(state, change_id, f"{unit}: {summary}")
            tasks.append(task)
            self.live[task] = []
        self.store.commit(state)
        return tasks

    def task_line(self, tasks: list[str], line: str) -> None:
        """Add a line to running tasks; it is kept when they end."""
        for task in tasks:
            lines = self.live.setdefault(task, [])
            lines.append(line)
            del lines[: -changes.KEPT_LINES]

    def end_tasks(self, tasks: list[str], status: str) -> None:
        """End tasks, with the lines they got."""

        def write(model: Model) -> Model:
            for task in tasks:
                model = changes.end_task(model, task, status, self.live.get(task, ()))
            return model

        self.apply(write)
        for task in tasks:
            self.live.pop(task, None)

    def fail_changes(self, application: str, error: str, fix: str) -> None:
        """Fail every change that waits for the application."""

        def write(model: Model) -> Model:
            for change_id in changes.open_for(model, application):
                model = changes.fail(model, change_id, error, fix, time.time())
            return model

        self.apply(write)
