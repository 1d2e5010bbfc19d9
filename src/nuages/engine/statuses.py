"""The status that an application has when its charm never set one. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from nuages.engine.state import Status

# Juju's order for a status that is derived from units: the last of these wins.
SEVERITIES = ("unknown", "terminated", "active", "maintenance", "waiting", "blocked", "error")


def derived(units: Iterable[Status]) -> Status:
    """Return the worst of the units' statuses, unknown when there are none."""
    return max(units, key=lambda found: SEVERITIES.index(found.status), default=Status())
