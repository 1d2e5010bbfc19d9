"""Deploying and refreshing: which charm is meant, and whether its resources are there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nuages.engine import charms, config, lifecycle
from nuages.engine.charm import Charm
from nuages.engine.errors import EngineError, NotFound
from nuages.engine.mutations import record
from nuages.engine.runner import ModelRunner
from nuages.engine.state import Goal, Model

APPLICATION_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]*[a-z][a-z0-9]*)*")


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
    return await asyncio.to_thread(charms.keep, charm, path, runner.directory / "charms")


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
