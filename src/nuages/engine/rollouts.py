"""Rolling updates: pods of an old revision are replaced, highest ordinal first, the next when the last one is Ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from nuages.engine import pebble
from nuages.engine.state import Application, Model, Unit
from nuages.engine.watch import UNREACHABLE
from nuages.engine.world import World

Settled = Callable[[Model, str], bool]


async def step(world: World, settled: Settled) -> bool:
    """Take one step of each application's rolling update; return whether one has to wait for a pod."""
    waiting = False
    for application in list(world.state.applications.values()):
        waiting |= await _roll(world, application, settled)
    return waiting


async def _roll(world: World, application: Application, settled: Settled) -> bool:
    units = [unit for unit in world.state.units_of(application.name) if unit.life == "alive"]
    outdated = [unit for unit in units if unit.pod not in (0, application.revision)]
    if not outdated or world.state.stopped:
        return False
    if any(unit.replace for unit in units):
        return True
    for unit in units:
        if unit not in outdated and not (settled(world.state, unit.name) and await _ready(world, unit)):
            return True
    name = outdated[-1].name
    world.apply(lambda model: model.with_unit(replace(model.units[name], replace=True)))
    return True


async def _ready(world: World, unit: Unit) -> bool:
    # Kubernetes asks for the first time after half a minute; by then the charm's hooks have run, as here
    pod = world.pods.pod(unit.name)
    if pod is None:
        return False
    try:
        answers = await asyncio.gather(*(container.call(pebble.ready) for container in pod.containers.values()))
    except UNREACHABLE:
        return False
    return all(answers)
