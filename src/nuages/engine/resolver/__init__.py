"""Which hook a unit runs next: pure functions of the model and of what the agent has seen.

The order of the rules is the order of Juju's uniter.
"""

from __future__ import annotations

from collections.abc import Callable

from nuages.engine.resolver import operations, relations, secrets, setup, workload
from nuages.engine.resolver.view import Notice, Observed, View, hook_name
from nuages.engine.state import Hook, Model

__all__ = ["RULES", "Notice", "Observed", "View", "hook_name", "next_hook"]

Rule = Callable[[View], Hook | None]

RULES: tuple[Rule, ...] = (
    setup.queued,
    relations.pending_changed,
    setup.upgrade,
    relations.created,
    setup.leadership,
    workload.workload,
    secrets.secrets,
    operations.operations,
    setup.storage,
    setup.lifecycle,
    relations.relations,
    setup.teardown,
    setup.update_status,
)


def next_hook(model: Model, unit_name: str, observed: Observed) -> Hook | None:
    """Return the hook that the unit runs next, None when it has nothing to do now.

    A hook that failed repeats, the same one, when its time has come; until then only actions and commands run. A hook
    that ran when the daemon died repeats at once.
    """
    unit = model.units.get(unit_name)
    application = model.applications.get(unit.application) if unit else None
    if unit is None or application is None or model.stopped:
        return None
    view = View(model, unit, application, observed)
    if unit.pending is not None:
        if unit.pending.failures == 0:
            return unit.pending.hook
        return operations.operations(view) or (unit.pending.hook if observed.now >= unit.pending.retry_at else None)
    for rule in RULES:
        hook = rule(view)
        if hook is not None:
            return hook
    return None
