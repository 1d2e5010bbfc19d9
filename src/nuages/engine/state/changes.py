"""What was asked of a model: changes with their tasks, actions and commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nuages.engine.charm import empty


@dataclass(frozen=True)
class Operation:
    """An action or a command that waits, runs or has run on a unit."""

    id: str
    unit: str
    kind: Literal["action", "exec"]
    name: str = ""
    params: Mapping[str, Any] = field(default_factory=empty)
    argv: tuple[str, ...] = ()
    status: Literal["pending", "running", "completed", "failed"] = "pending"
    message: str = ""
    results: Mapping[str, Any] = field(default_factory=empty)
    log: tuple[str, ...] = ()
    change: str = ""


@dataclass(frozen=True)
class Task:
    """One step of a change; `log` holds lines for people."""

    id: str
    summary: str
    status: str = "Doing"
    log: tuple[str, ...] = ()


@dataclass(frozen=True)
class Goal:
    """What must hold before a change is ready: a kind, the application, and a number or name."""

    kind: Literal["settled", "gone", "relation-gone", "operation"]
    application: str = ""
    subject: str = ""
    number: int = 0


@dataclass(frozen=True)
class Change:
    """A recorded mutation, as in Pebble and snapd."""

    id: str
    kind: str
    summary: str
    status: Literal["Do", "Doing", "Done", "Error", "Undone"] = "Doing"
    tasks: tuple[Task, ...] = ()
    goals: tuple[Goal, ...] = ()
    error: str = ""
    fix: str = ""
    result: Mapping[str, Any] | None = None
    spawned: float = 0.0
    ready: float | None = None
