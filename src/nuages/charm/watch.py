"""Whether a service does its work, and if not, why: asked of the application, of Pebble, and of the service's log."""

from datetime import datetime, timedelta, timezone
from functools import partial

from nuages.charm import probe, statuses
from nuages.charm.plan import Ask, Consult
from nuages.charm.statuses import Status
from nuages.charm.texts import last_error
from nuages.charm.workload import Container

FRESH = 90.0
"""Seconds that the application has to boot."""
STEADY = 10.0
"""Seconds to answer for one that runs already; Pebble may be bringing it back meanwhile."""
BACKOFF = 35.0
"""Seconds within which Pebble tries a crashing service again: its last traceback is not older."""


class Failed(Exception):
    """A step failed, or has to be waited for: the plan ends with this status."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message)
        self.status = status


def look(names: tuple[str, ...], container: Container, since: str = "") -> None:
    """Say why the first of these services does not run; nothing when all do by now."""
    states = container.states()
    for name in names:
        if states.get(name) != "active":
            lines = container.logs(name, since)
            reason = last_error(lines) or (lines[-1].strip() if lines else "it ends at once")
            raise Failed(statuses.SERVICE_FAILED(service=name, error=reason))


def consult(step: Consult, container: Container) -> None:
    """Ask for the health path: what it says decides whether the unit gets requests."""
    why = partial(gone, step.service, container, now(BACKOFF), fresh=False)
    path = step.question.path
    try:
        status = probe.ask(step.question, STEADY, why)
    except probe.NoAnswer as error:
        raise Failed(statuses.UNHEALTHY(path=path, reason=error)) from error
    if not 200 <= status <= 399:
        raise Failed(statuses.UNHEALTHY(path=path, reason=f"status {status}"))


def ask(step: Ask, container: Container, since: str = "") -> None:
    """Ask the web service; a crash is told with the end of the application's own traceback."""
    since = since or now(0 if step.fresh else BACKOFF)
    why = partial(gone, step.service, container, since, fresh=step.fresh)
    try:
        probe.ask(step.question, FRESH if step.fresh else STEADY, why)
    except probe.NoAnswer as error:
        if reason := why():
            raise Failed(statuses.CRASHED(error=reason)) from error
        raise Failed(statuses.NOT_ANSWERING(reason=error)) from error


def gone(service: str, container: Container, since: str, *, fresh: bool) -> str:
    """Return why a service has crashed: the end of its own last traceback; "" while there is hope.

    One that was started just now and ended without a traceback has said something else last. One that ran for long
    was killed then, and Pebble brings it back in a moment.
    """
    if container.states().get(service) in ("active", "inactive"):  # inactive: Pebble has not got to it yet
        return ""
    lines = container.logs(service, since)
    return last_error(lines) or (lines[-1].strip() if fresh and lines else "")


def now(ago: float = 0) -> str:
    """Return the time, or that of some seconds ago, as Pebble writes it into logs."""
    return (datetime.now(timezone.utc) - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
