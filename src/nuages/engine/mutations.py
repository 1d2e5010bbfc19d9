"""What can be asked of a model: each request is checked, recorded as a change and committed in one step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nuages.engine import changes, config, endpoints, lifecycle, operations, recovery
from nuages.engine.errors import EngineError
from nuages.engine.runner import ModelRunner
from nuages.engine.state import Goal, Model

Step = Callable[[Model, float], Model]


def record(runner: ModelRunner, kind: str, summary: str, goals: Iterable[Goal], step: Step) -> str:
    """Commit a change together with what it does; return its id. Failing hooks of the applications try again now."""
    now = time.time()
    wanted = list(goals)
    model, change = changes.begin(runner.state, kind, summary, wanted, now)
    model = step(model, now)
    for application in {goal.application for goal in wanted if goal.application}:
        model = recovery.hasten(model, now, application)
    if not wanted:
        model = changes.finish(model, change, now)
    runner.store.commit(model)
    return change


def integrate(runner: ModelRunner, texts: tuple[str, str]) -> tuple[str, int]:
    """Relate two applications; return the change and the relation's number.

    Raises:
        EngineError: they do not fit, or an endpoint's limit is reached.
    """
    pair = endpoints.resolve(runner.state, texts, runner.world.services)
    number = runner.state.counters.get("relation", -1) + 1
    goals = [Goal("settled", side.application) for side in pair]
    shown = " and ".join(f"{side.application}:{side.endpoint}" for side in pair)
    change = record(
        runner, "integrate", f"integrate {shown}", goals, lambda model, now: lifecycle.integrate(model, pair, now)[0]
    )
    return change, number


def remove_relation(runner: ModelRunner, texts: tuple[str, str]) -> str:
    """Take a relation away.

    Raises:
        EngineError: there is none, or several fit.
    """
    relation = endpoints.find(runner.state, texts)
    goals = [Goal("settled", side.application) for side in relation.sides]
    goals.append(Goal("relation-gone", number=relation.id))
    return record(
        runner,
        "remove-relation",
        f"remove relation {relation.key}",
        goals,
        lambda model, now: lifecycle.remove_relation(model, relation.id, now),
    )


def configure(runner: ModelRunner, name: str, values: Mapping[str, str], reset: Iterable[str]) -> str:
    """Set and reset options, all or none.

    Raises:
        EngineError: an option or a value is wrong; nothing is changed.
    """
    application = lifecycle.application(runner.state, name)
    new = config.apply(name, application.charm.options, application.config, values, reset)
    same = new == dict(application.config)
    goals = [] if same else [Goal("settled", name)]
    return record(
        runner, "config", f"configure {name}", goals, lambda model, now: lifecycle.configure(model, name, new)
    )


def configure_model(runner: ModelRunner, values: Mapping[str, str], reset: Iterable[str]) -> str:
    """Set and reset options of the model, all or none.

    Raises:
        EngineError: an option or a value is wrong; nothing is changed.
    """
    new = config.apply("the model", config.MODEL_OPTIONS, runner.state.config, values, reset)
    return record(
        runner,
        "model-config",
        "configure the model",
        (),
        lambda model, now: lifecycle.configure_model(model, new, now),
    )


def trust(runner: ModelRunner, name: str, trusted: bool) -> str:
    """Trust an application's charm, or no longer; it hears of it by config-changed.

    Raises:
        NotFound: there is none of this name.
    """
    application = lifecycle.application(runner.state, name)
    same = application.trust == trusted
    return record(
        runner,
        "trust",
        f"trust {name}" if trusted else f"trust {name} no longer",
        [] if same else [Goal("settled", name)],
        lambda model, now: lifecycle.trust(model, name, trusted),
    )


def scale(runner: ModelRunner, name: str, units: int | None, delta: int | None, *, force: bool = False) -> str:
    """Ask for a number of units, or for more or fewer.

    Raises:
        EngineError: it would be fewer than none.
    """
    application = lifecycle.application(runner.state, name)
    if (units is None) == (delta is None):
        raise EngineError(f"cannot scale {name}: say either how many units or how many more")
    wanted = units if units is not None else application.units + (delta or 0)
    if application.life != "alive":
        raise EngineError(f"cannot scale {name}: it is being removed")
    if wanted < 0:
        raise EngineError(f"cannot scale {name}: it has {application.units} units", fix="ask for fewer to be removed")
    return record(
        runner,
        "scale",
        f"scale {name} to {wanted}",
        [Goal("settled", name)],
        lambda model, now: lifecycle.scale(model, name, wanted, now, force=force),
    )


def remove_application(runner: ModelRunner, name: str, *, force: bool = False) -> str:
    """Take an application and its units away.

    Raises:
        NotFound: there is none of this name.
    """
    lifecycle.application(runner.state, name)
    return record(
        runner,
        "remove-application",
        f"remove {name}",
        [Goal("gone", name)],
        lambda model, now: lifecycle.remove_application(model, name, now, force=force),
    )


def resolve(runner: ModelRunner, units: Iterable[str], *, every: bool, retry: bool) -> str:
    """Let the failed hooks of units run again now, or without `retry` count as run; `every`: of all in error.

    Raises:
        EngineError: no such unit, or one is not in error; then none is resolved.
    """
    state = runner.state
    names = [unit.name for unit in state.units.values() if unit.failed] if every else list(units)
    for name in names:
        recovery.resolve(state, name, 0.0, retry=retry)
    names = [lifecycle.unit(state, name).name for name in names]

    def step(model: Model, now: float) -> Model:
        for name in names:
            model = recovery.resolve(model, name, now, retry=retry)
        return model

    goals = [Goal("settled", application) for application in dict.fromkeys(name.partition("/")[0] for name in names)]
    return record(runner, "resolved", f"resolve {', '.join(names) or 'nothing'}", goals, step)


def run(runner: ModelRunner, unit: str, action: str, params: Mapping[str, Any]) -> str:
    """Ask for an action; return the change that ends with its result.

    Raises:
        EngineError: no such unit or action, or wrong parameters.
    """
    _check_running(runner, f"run {action}")
    model, change = operations.action(runner.state, unit, action, params, time.time())
    runner.store.commit(model)
    return change


def execute(runner: ModelRunner, unit: str, argv: list[str]) -> str:
    """Ask for a command in the charm container; return the change that ends with its result.

    Raises:
        NotFound: no such unit.
    """
    _check_running(runner, "run a command")
    model, change = operations.command(runner.state, unit, argv, time.time())
    runner.store.commit(model)
    return change


def _check_running(runner: ModelRunner, what: str) -> None:
    if runner.state.stopped:
        reason = f"stopped {runner.state.stopped}" if runner.state.stopped != "down" else "stopped"
        raise EngineError(f"cannot {what}: the model is {reason}", fix="nuages up", code="stopped")
