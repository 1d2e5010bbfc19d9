"""What a resolver rule looks at: the model, the unit, and what the agent has seen of the pod."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from nuages.engine.charm import Charm, empty
from nuages.engine.state import Application, Hook, Local, Model, Unit

RELATION_KINDS = (
    "relation-created",
    "relation-joined",
    "relation-changed",
    "relation-departed",
    "relation-broken",
)
WORKLOAD_KINDS = ("pebble-ready", "pebble-custom-notice", "pebble-check-failed", "pebble-check-recovered")
SECRET_KINDS = ("secret-changed", "secret-remove", "secret-rotate", "secret-expired")
OPERATION_KINDS = ("action", "exec")
STORAGE_KINDS = ("storage-attached", "storage-detaching")


@dataclass(frozen=True)
class Notice:
    """A Pebble notice that a hook follows from. `at` is its last-repeated time, which orders notices."""

    container: str
    kind: Literal["pebble-custom-notice", "pebble-check-failed", "pebble-check-recovered"]
    id: str
    type: str
    key: str
    at: str
    check: str = ""


@dataclass(frozen=True)
class Observed:
    """What the agent knows of the pod and the clock; nothing of it is kept.

    `boot_ids` names the containers whose Pebble answers; a container that waits after a failed hook is left out.
    """

    now: float = 0.0
    boot_ids: Mapping[str, str] = field(default_factory=empty)
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class View:
    """A unit's sight of the world."""

    model: Model
    unit: Unit
    application: Application
    observed: Observed

    @property
    def local(self) -> Local:
        """What the unit has run so far."""
        return self.unit.local

    @property
    def charm(self) -> Charm:
        """The charm of the unit's application."""
        return self.application.charm

    @property
    def dying(self) -> bool:
        """Whether the unit is being removed."""
        return self.unit.life == "dying"


def hook_name(model: Model, unit: str, hook: Hook) -> str:
    """Return the hook's name: `db-relation-joined`, `web-pebble-ready`, an action's name, `juju-run` for a command."""
    if hook.kind in RELATION_KINDS:
        relation = model.relations.get(hook.relation if hook.relation is not None else -1)
        side = relation.side(unit.partition("/")[0]) if relation else None
        return f"{side.endpoint}-{hook.kind}" if side else hook.kind
    if hook.kind in WORKLOAD_KINDS:
        return f"{hook.container}-{hook.kind}"
    if hook.kind in STORAGE_KINDS:
        return f"{hook.storage}-{hook.kind}"
    if hook.kind in OPERATION_KINDS:
        operation = model.operations.get(hook.operation)
        return operation.name if operation and hook.kind == "action" else "juju-run"
    return hook.kind
