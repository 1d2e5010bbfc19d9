"""What the machine says of the pods at this moment, where it is worse than what the charms last said."""

from __future__ import annotations

import asyncio

from ops.pebble import CheckInfo, CheckLevel, CheckStatus, Client, ServiceStartup, ServiceStatus

from nuages.engine import pebble
from nuages.engine.pods import Container
from nuages.engine.runner import ModelRunner
from nuages.engine.watch import UNREACHABLE

PATIENCE = 1.0
"""Seconds that Pebble gets to answer: `status` must never hang."""
CHECKING = 2.0
"""Seconds that a check gets which is run because somebody asks; one that takes longer is told by its next period."""


async def troubles(runner: ModelRunner) -> dict[str, str]:
    """Return, for each active unit with a container that does not run as it should, what is wrong with it.

    A charm learns of a dead process at its next hook; whoever asks for the status is told the truth at once.
    """
    asked = [
        (unit.name, container)
        for unit in runner.state.units.values()
        if unit.status.status == "active" and (pod := runner.world.pods.pod(unit.name))
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
        trouble, checks = await asyncio.wait_for(container.call(_ask), PATIENCE)
    except asyncio.TimeoutError:
        return "its Pebble does not answer"
    except UNREACHABLE:
        return "its Pebble cannot be reached"
    if trouble:
        return trouble
    answers = await asyncio.gather(*(_check(container, check) for check in checks))
    return next((answer for answer in answers if answer), "")


async def _check(container: Container, check: CheckInfo) -> str:
    def work(client: Client) -> str:
        client.timeout = CHECKING
        return pebble.refresh(client, check.name)

    try:
        failed = bool(await asyncio.wait_for(container.call(work), CHECKING))
    except (asyncio.TimeoutError, *UNREACHABLE):
        failed = check.status is CheckStatus.DOWN  # what Pebble last found stands
    return f"check {check.name} is down" if failed else ""


def _ask(client: Client) -> tuple[str, list[CheckInfo]]:
    """Return what is wrong, and the checks of level ready that are worth running at once.

    Those are the ones that are down, and of the others those that one failure turns down: running another would turn
    it down sooner than it says.
    """
    for service in client.get_services():
        if service.startup is ServiceStartup.ENABLED and service.current is not ServiceStatus.ACTIVE:
            # Pebble's client has no name for "backoff", the time between two starts: it hands the text on.
            current = getattr(service.current, "value", service.current)
            return f"service {service.name} is not running ({current})", []
    checks = client.get_checks(level=CheckLevel.READY)
    return "", [
        check
        for check in checks
        if check.status is CheckStatus.DOWN or (check.status is CheckStatus.UP and check.threshold == 1)
    ]
