from __future__ import annotations

import asyncio

import pytest

from nuages.services import driver, unit
from tests.services.fakes import FakeContext


@pytest.mark.parametrize(
    ("hook", "asked", "waits"),
    [
        ("config-changed", False, False),
        ("config-changed", True, True),
        ("mysql-pebble-ready", False, True),
        ("mysql-pebble-check-recovered", False, True),
        ("mysql-pebble-check-failed", True, False),
    ],
)
def test_a_hook_waits_for_a_server_that_somebody_asks_and_that_is_not_known_to_be_down(
    hook: str, asked: bool, waits: bool
) -> None:
    assert unit.patient(FakeContext(None, hook=hook), asked) is waits


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (driver.Refused("notes asks for two"), ("blocked", "notes asks for two")),
        (driver.NotReachable("no socket"), ("waiting", "waiting for the container")),
        (unit.NotReady("starting"), ("waiting", "waiting for the server")),
        (None, ("active", "as it should")),
    ],
)
def test_what_a_server_cannot_do_now_is_a_status(error: Exception | None, status: tuple[str, str]) -> None:
    async def serve() -> tuple[str, str]:
        if error:
            raise error
        return unit.status("", "as it should")

    context = FakeContext(None)
    asyncio.run(unit.hook(context, serve))
    assert context.status == status


def test_another_error_is_a_failed_hook() -> None:
    async def serve() -> tuple[str, str]:
        raise driver.ServiceError("cannot start it: no room")

    with pytest.raises(driver.ServiceError, match="no room"):
        asyncio.run(unit.hook(FakeContext(None), serve))


async def never() -> tuple[str, str]:
    raise AssertionError("a unit that goes serves nobody")


def test_a_unit_whose_container_went_first_goes_in_peace() -> None:
    context = FakeContext(None, hook="stop")
    asyncio.run(unit.hook(context, never))
    assert context.status == ("maintenance", "stopping")
    assert context.logged == ["the container has gone already"]


def test_only_the_leader_serves_where_secrets_are_to_be_written() -> None:
    context = FakeContext(None, is_leader=False)
    asyncio.run(unit.hook(context, never, leader_only=True))
    assert context.status == ("waiting", "waiting to lead")
