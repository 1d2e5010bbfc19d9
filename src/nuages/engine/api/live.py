"""What the machine says of the pods at this moment, where it is worse than what the charms last said."""

from __future__ import annotations

import asyncio

from ops.pebble import CheckLevel, CheckStatus, Client, ServiceStartup, ServiceStatus

from nuages.engine.pods import Container
from nuages.engine.runner import ModelRunner
from nuages.engine.watch import UNREACHABLE

PATIENCE = 1.0
"""Seconds that Pebble gets to answer: `status` must never hang."""


async def troubles(runner: ModelRunner) -> dict[str, str]:
    """Return, for each unit with a container that does not run as it should, what is wrong with it.

    A charm learns of a dead process at its next hook; whoever asks for the status is told the truth at once.
    """
    asked = [
        (unit.name, container)
        for unit in runner.state.units.values()
        if (pod := runner.world.pods.pod(unit.name))
        for container in pod.containers.values()
    ]
    answers = await asyncio.gather(*(_trouble(container) for _, container in asked))
    return {
        name: f"{container.name}: {answer}" for (name, container), answer in zip(asked, answers, strict=True) if answer
    }


async def _trouble(container: Container) -> str:
    if not container.alive():
        return "its Pebble ended and is started again"
    try:
        return await asyncio.wait_for(container.call(_ask), PATIENCE)
    except asyncio.TimeoutError:
        return "its Pebble does not answer"
    except UNREACHABLE:
        return "its Pebble cannot be reached"


def _ask(client: Client) -> str:
    for service in client.get_services():
        if service.startup is ServiceStartup.ENABLED and service.current is not ServiceStatus.ACTIVE:
            # Pebble's client has no name for "backoff", the time between two starts: it hands the text on.
            current = getattr(service.current, "value", service.current)
            return f"service {service.name} is not running ({current})"
    down = [check.name for check in client.get_checks(level=CheckLevel.READY) if check.status is CheckStatus.DOWN]
    return f"check {down[0]} is down" if down else ""
