"""Actions and commands, in the order in which they were asked for."""

from __future__ import annotations

from nuages.engine.resolver.view import View
from nuages.engine.state import Hook


def operations(view: View) -> Hook | None:
    """Return the oldest operation that waits for this unit."""
    if not view.local.installed:
        return None
    waiting = (
        operation
        for operation in view.model.operations.values()
        if operation.unit == view.unit.name and operation.status == "pending"
    )
    first = min(waiting, key=lambda operation: int(operation.id), default=None)
    return Hook(first.kind, operation=first.id) if first else None
