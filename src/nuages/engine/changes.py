"""Changes with tasks: every mutation is recorded before it starts, and is finished or visibly unfinished."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from nuages.engine.state import Change, Goal, Model, Task

KEPT_LINES = 200


def begin(model: Model, kind: str, summary: str, goals: Iterable[Goal], now: float) -> tuple[Model, str]:
    """Return the model with a new change, and the change's id. Without goals it is ready when it is finished."""
    model, number = model.count("change")
    change_id = str(number + 1)
    change = Change(change_id, kind, summary, goals=tuple(goals), spawned=now)
    return model.with_change(change), change_id


def add_task(model: Model, change_id: str, summary: str) -> tuple[Model, str]:
    """Return the model with a task in the change, and the task's id."""
    change = model.changes[change_id]
    task = Task(f"{change_id}.{len(change.tasks) + 1}", summary)
    return model.with_change(replace(change, tasks=(*change.tasks, task))), task.id


def end_task(model: Model, task_id: str, status: str, lines: Iterable[str] = ()) -> Model:
    """Return the model in which the task has ended, with its last lines."""
    change = model.changes.get(task_id.partition(".")[0])
    if change is None:
        return model
    tasks = tuple(
        replace(task, status=status, log=(*task.log, *lines)[-KEPT_LINES:]) if task.id == task_id else task
        for task in change.tasks
    )
    return model.with_change(replace(change, tasks=tasks))


def finish(model: Model, change_id: str, now: float, *, result: Mapping[str, Any] | None = None) -> Model:
    """Return the model in which the change is done."""
    change = model.changes[change_id]
    if change.ready is not None:
        return model
    result = change.result if result is None else result
    return model.with_change(replace(change, status="Done", ready=now, result=result))


def fail(model: Model, change_id: str, error: str, fix: str, now: float) -> Model:
    """Return the model in which the change has failed; what it did so far stays."""
    change = model.changes[change_id]
    if change.ready is not None:
        return model
    return model.with_change(replace(change, status="Error", error=error, fix=fix, ready=now))


def open_for(model: Model, application: str) -> list[str]:
    """Return the unfinished changes that wait for this application's units; operations wait for themselves."""
    return [
        change.id
        for change in model.changes.values()
        if change.ready is None
        and any(goal.application == application and goal.kind != "operation" for goal in change.goals)
    ]


def evaluate(model: Model, settled: Callable[[Model, str], bool], now: float) -> Model:
    """Return the model in which every change whose goals are all reached is done."""
    for change in list(model.changes.values()):
        if change.ready is None and change.goals and all(_reached(model, goal, settled) for goal in change.goals):
            model = finish(model, change.id, now)
    return model


def _reached(model: Model, goal: Goal, settled: Callable[[Model, str], bool]) -> bool:
    if goal.kind == "operation":
        operation = model.operations.get(goal.subject)
        return operation is None or operation.status in ("completed", "failed")
    if model.stopped:
        return True  # nothing more happens until the model is started
    if goal.kind == "gone":
        return goal.application not in model.applications
    if goal.kind == "relation-gone":
        return goal.number not in model.relations
    application = model.applications.get(goal.application)
    if application is None:
        return True
    units = model.units_of(goal.application)
    return len(units) == application.units and all(settled(model, unit.name) for unit in units)
