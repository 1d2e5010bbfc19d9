"""Relations and their databags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nuages.engine.charm import Role, empty
from nuages.engine.state.common import Bag, Life


@dataclass(frozen=True)
class Side:
    """One application's end of a relation."""

    application: str
    endpoint: str
    role: Role
    interface: str


@dataclass(frozen=True)
class Databag:
    """A databag and how often it changed (0: never written)."""

    data: Bag = field(default_factory=empty)
    version: int = 0


@dataclass(frozen=True)
class Relation:
    """A relation: one side for peers, else provider and requirer. `members` are the units in scope."""

    id: int
    sides: tuple[Side, ...]
    life: Life = "alive"
    members: tuple[str, ...] = ()
    bags: Mapping[str, Databag] = field(default_factory=empty)

    @property
    def peer(self) -> bool:
        """Whether this is an application's relation with itself."""
        return len(self.sides) == 1

    def side(self, application: str) -> Side | None:
        """Return the application's end."""
        return next((side for side in self.sides if side.application == application), None)

    def other(self, application: str) -> Side:
        """Return the end that the application talks to: its own for a peer relation."""
        return next((side for side in self.sides if side.application != application), self.sides[0])

    def bag(self, entity: str) -> Databag:
        """Return the databag of a unit or application."""
        return self.bags.get(entity, Databag())

    @property
    def key(self) -> str:
        """For example `notes:postgresql postgresql-k8s:database`, requirer first as Juju prints it."""
        order = {"requirer": 0, "provider": 1, "peer": 0}
        sides = sorted(self.sides, key=lambda side: order[side.role])
        return " ".join(f"{side.application}:{side.endpoint}" for side in sides)
