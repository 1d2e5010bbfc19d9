"""What every hook of an application with one unit does alike: whom it serves, when it waits, what it says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nuages.engine.service import Context
from nuages.services import driver


class NotReady(driver.ServiceError):
    """The server does not answer yet, and nobody waits for it."""


def status(problem: str, note: str = "") -> tuple[str, str]:
    """Return the unit's status by the first problem of a requirer, or "" when there is none."""
    return ("blocked", problem) if problem else ("active", note)


def one_only(context: Context) -> str:
    """Return the status of a unit that does not serve."""
    return f"this built-in application runs on one unit: remove-unit {context.application} --num-units 1"


def patient(context: Context, asked: bool) -> bool:
    """Tell whether this hook waits for the server: somebody asks it for something, and it is not known to be down."""
    failed = context.hook.endswith("pebble-check-failed")
    return not failed and (asked or context.hook.endswith(("pebble-ready", "pebble-check-recovered")))


async def hook(context: Context, serve: Callable[[], Awaitable[tuple[str, str]]], *, leader_only: bool = False) -> None:
    """Handle a hook: stop when the unit goes, else `serve`, which returns the status, and say how things are.

    `serve` may raise `Refused`, `NotReachable` and `NotReady`; each is a status, not a failed hook.
    """
    if not driver.serves(context):
        context.set_status("blocked", one_only(context))
    elif context.hook in ("stop", "remove") or context.leaving:
        await leave(context)
    elif leader_only and not context.is_leader:
        context.set_status("waiting", "waiting to lead")
    else:
        try:
            said = await serve()
        except driver.Refused as error:
            said = ("blocked", str(error))
        except driver.NotReachable:
            said = ("waiting", "waiting for the container")
        except NotReady:
            said = ("waiting", driver.WAITING)
        context.set_status(*said)


async def leave(context: Context) -> None:
    """Stop the server cleanly, where it still runs; what it keeps stays in the volume."""
    context.set_status("maintenance", "stopping")
    try:
        await driver.stop(context)
    except driver.NotReachable:
        context.log("DEBUG", "the container has gone already")
