"""What can be asked of a model: each request is checked, recorded as a change and committed in one step."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nuages.engine import changes, charms, config, endpoints, lifecycle, operations, recovery
from nuages.engine.errors import EngineError, NotFound
from nuages.engine.runner import ModelRunner
from nuages.engine.state import Charm, Goal, Model

APPLICATION_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]*[a-z][a-z0-9]*)*")
Step = Callable[[Model, float], Model]


def record(runner: ModelRunner, kind: str, summary: str, goals: Iterable[Goal], step: Step) -> str:
    """Commit a change together with what it does; return its id. Failing hooks of the applications try again now."""
    now = time.time()
    wanted = list(goals)
    model, change = changes.begin(runner.state, kind, summary, wanted, now)
    model = step(model, now)
    for application in {goal.application for goal in wanted if goal.application}:
        model = _retry(model, application, now)
    if not wanted:
        model = changes.finish(model, change, now)
    runner.store.commit(model)
    return change


async def deploy(
    runner: ModelRunner,
    charm: str,
    name: str,
    *,
    resources: Mapping[str, str],
    values: Mapping[str, Any],
    units: int,
    trust: bool,
) -> tuple[str, str]:
    """Deploy a .charm or a built-in application; return the change and the application's name.

    Raises:
        EngineError: the charm, a name, a resource or an option is wrong.
    """
    found = await _charm(runner, charm)
    name = name or found.name
    if not APPLICATION_NAME.fullmatch(name):
        raise EngineError(f'cannot deploy "{name}": invalid application name', fix="letters, digits and single dashes")
    if name in runner.state.applications:
        raise EngineError(f'cannot add application "{name}": application already exists', code="already-exists")
    _check_resources(found, name, resources)
    options = config.apply(name, found.options, {}, values, ())

    def step(model: Model, now: float) -> Model:
        return lifecycle.deploy(
            model, name, found, resources=dict(resources), config=options, units=units, trust=trust, now=now
        )

    return record(runner, "deploy", f"deploy {name}", [Goal("settled", name)], step), name


async def refresh(runner: ModelRunner, name: str, charm: str | None, resources: Mapping[str, str]) -> str:
    """Give an application another charm or other resources; its pods are replaced one by one.

    Raises:
        EngineError: the charm is another one, or a resource is wrong.
    """
    application = lifecycle.application(runner.state, name)
    found = application.charm if charm is None else await _charm(runner, charm)
    if found.name != application.charm.name:
        raise EngineError(f'cannot refresh {name}: it is charm "{application.charm.name}", not "{found.name}"')
    merged = {key: value for key, value in {**application.resources, **resources}.items() if key in found.resources}
    _check_resources(found, name, {**merged, **resources})
    if found == application.charm and merged == dict(application.resources):
        return record(runner, "refresh", f"refresh {name}", (), lambda model, now: model)
    return record(
        runner,
        "refresh",
        f"refresh {name}",
        [Goal("settled", name)],
        lambda model, now: lifecycle.refresh(model, name, found, merged, now),
    )


def integrate(runner: ModelRunner, texts: tuple[str, str]) -> tuple[str, int]:
    """Relate two applications; return the change and the relation's number.

    Raises:
        EngineError: they do not fit, or an endpoint's limit is reached.
    """
    pair = endpoints.resolve(runner.state, texts)
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
    return record(runner, "model-config", "configure the model", (), lambda model, now: replace(model, config=new))


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


async def _charm(runner: ModelRunner, text: str) -> Charm:
    """Return a built-in application's charm, or read a file; the model keeps its own copy of that."""
    services = runner.world.services
    if "/" not in text and text in services:
        return charms.of_service(services[text])
    path = Path(text)
    if not path.is_absolute():
        offered = ", ".join(sorted(services)) or "none"
        near = config.nearest(text, services)
        raise NotFound(
            f"cannot find {text}{near}", fix=f"built-in applications: {offered}; or the path of a .charm file"
        )
    charm = await asyncio.to_thread(charms.read, path)

    def keep() -> Path:
        directory = runner.directory / "charms"
        directory.mkdir(mode=0o700, exist_ok=True)
        kept = directory / f"{charm.digest}.charm"
        if not kept.exists():
            scratch = kept.with_suffix(".part")
            shutil.copyfile(path, scratch)
            scratch.rename(kept)
        return kept

    return replace(charm, path=str(await asyncio.to_thread(keep)))


def _check_resources(charm: Charm, name: str, resources: Mapping[str, str]) -> None:
    offered = f"resources of {name}: {', '.join(sorted(charm.resources)) or 'none'}"
    for key, path in resources.items():
        if key not in charm.resources:
            raise EngineError(f"cannot use resource {key!r}{config.nearest(key, charm.resources)}", fix=offered)
        if not (Path(path) / "image.json").exists():
            raise EngineError(f"cannot use resource {key}: {path} holds no image.json", fix="make the rock: nuages up")
    if charm.built_in:
        return
    missing = sorted({one.resource for one in charm.containers if one.resource} - set(resources))
    if missing:
        raise EngineError(f"cannot deploy {name}: no resource {', '.join(missing)} given", fix=offered)


def _check_running(runner: ModelRunner, what: str) -> None:
    if runner.state.stopped:
        reason = f"stopped {runner.state.stopped}" if runner.state.stopped != "down" else "stopped"
        raise EngineError(f"cannot {what}: the model is {reason}", fix="nuages up", code="stopped")


def _retry(model: Model, application: str, now: float) -> Model:
    for unit in model.units_of(application):
        if unit.pending is not None and unit.pending.failures:
            model = model.with_unit(replace(unit, pending=replace(unit.pending, retry_at=now)))
    return model
