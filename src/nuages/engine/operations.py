"""Actions and commands on a unit: asked for, checked, and what came of them. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from nuages.engine import changes
from nuages.engine.charm import Action
from nuages.engine.config import nearest
from nuages.engine.dispatch import Outcome
from nuages.engine.errors import EngineError, NotFound
from nuages.engine.hooks.context import HookContext
from nuages.engine.lifecycle import unit as find_unit
from nuages.engine.state import Goal, Model, Operation

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "array": list,
    "object": dict,
}


def action(model: Model, unit_name: str, name: str, params: Mapping[str, Any], now: float) -> tuple[Model, str]:
    """Return the model with the action asked for, and its change.

    Raises:
        NotFound: no such unit or action.
        EngineError: the parameters do not fit.
    """
    unit = find_unit(model, unit_name)
    known = model.applications[unit.application].charm.actions
    if name not in known:
        offered = ", ".join(sorted(known)) or "none"
        raise NotFound(
            f'cannot run {name!r}: action "{name}" not defined for unit "{unit.name}" (not found)'
            f"{nearest(name, known)}",
            fix=f"actions of {unit.application}: {offered}",
        )
    checked = check(known[name], params)
    return _ask(model, unit.name, "action", now, name=name, params=checked)


def command(model: Model, unit_name: str, argv: Sequence[str], now: float) -> tuple[Model, str]:
    """Return the model with the command asked for, and its change.

    Raises:
        NotFound: no such unit.
    """
    return _ask(model, find_unit(model, unit_name).name, "exec", now, argv=tuple(argv))


def check(action: Action, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with the schema's defaults.

    Raises:
        EngineError: one is missing, unknown or of another type; all of them are named.
    """
    wrong = [f"{name} is required" for name in action.required if name not in params]
    for name, value in params.items():
        schema = action.params.get(name)
        if schema is None:
            if not action.additional:
                wrong.append(f"{name} is not a parameter{nearest(name, action.params)}")
            continue
        kind = str(schema.get("type", ""))
        expected = TYPES.get(kind)
        if expected and (not isinstance(value, expected) or (isinstance(value, bool) and kind != "boolean")):
            wrong.append(f"{name} must be of type {kind}, not {value!r}")
    if wrong:
        offered = ", ".join(sorted(action.params)) or "none"
        raise EngineError(f"cannot run {action.name}: {'; '.join(wrong)}", fix=f"parameters: {offered}", code="action")
    defaults = {name: schema["default"] for name, schema in action.params.items() if "default" in schema}
    return {**defaults, **params}


def results(operation: Operation, context: HookContext, outcome: Outcome) -> Operation:
    """Return the operation with what came of it."""
    found: dict[str, Any] = {"return-code": outcome.code}
    if outcome.stdout and not context.application.charm.built_in:
        found["stdout"] = outcome.stdout
    if outcome.stderr and not context.application.charm.built_in:
        found["stderr"] = outcome.stderr
    if operation.kind == "action":
        found = {**context.results, **found}
    elif operation.kind == "exec":
        found = {"return-code": outcome.code, "stdout": outcome.stdout, "stderr": outcome.stderr}
    status: Literal["completed", "failed"] = "completed"
    message = ""
    if context.failure is not None:
        status, message = "failed", context.failure
    elif outcome.code != 0 and operation.kind == "action":
        status, message = "failed", f"exit status {outcome.code}"
    return replace(operation, status=status, message=message, results=found)


def ended(model: Model, operation: Operation, now: float) -> Model:
    """Return the model in which the operation has ended, and its change with it."""
    log = model.operations[operation.id].log
    operation = replace(operation, log=log)
    model = model.with_operation(operation)
    if operation.change not in model.changes:
        return model
    result: dict[str, Any] = dict(operation.results)
    if operation.kind == "action":
        result = {
            "id": operation.id,
            "unit": operation.unit,
            "results": dict(operation.results),
            "status": operation.status,
            "message": operation.message,
            "log": list(log),
            "completed": time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC", time.gmtime(now)),
        }
    return changes.finish(model, operation.change, now, result=result)


def _ask(
    model: Model,
    unit: str,
    kind: Literal["action", "exec"],
    now: float,
    *,
    name: str = "",
    params: Mapping[str, Any] | None = None,
    argv: tuple[str, ...] = (),
) -> tuple[Model, str]:
    model, number = model.count("operation")
    operation_id = str(number + 1)
    summary = f"run {name} on {unit}" if kind == "action" else f"run a command on {unit}"
    goal = Goal("operation", application=unit.partition("/")[0], subject=operation_id)
    model, change = changes.begin(model, kind, summary, [goal], now)
    operation = Operation(operation_id, unit, kind, name=name, params=dict(params or {}), argv=argv, change=change)
    return model.with_operation(operation), change
