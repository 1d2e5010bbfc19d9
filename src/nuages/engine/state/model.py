"""The whole of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nuages.engine.charm import empty
from nuages.engine.state.applications import Application, Unit
from nuages.engine.state.changes import Change, Operation
from nuages.engine.state.common import put, unit_application
from nuages.engine.state.relations import Relation
from nuages.engine.state.secrets import Secret

DOWN = "down"
PAUSED = "for a snapshot"
"""Why a model is stopped that is to run again, also when the daemon is killed meanwhile."""


@dataclass(frozen=True)
class Model:
    """Everything about one model."""

    name: str
    uuid: str
    project: str | None = None
    created: float = 0.0
    boot_id: str = ""
    stopped: str = ""
    config: Mapping[str, Any] = field(default_factory=empty)
    counters: Mapping[str, int] = field(default_factory=empty)
    published: Mapping[str, int] = field(default_factory=empty)
    applications: Mapping[str, Application] = field(default_factory=empty)
    units: Mapping[str, Unit] = field(default_factory=empty)
    relations: Mapping[int, Relation] = field(default_factory=empty)
    secrets: Mapping[str, Secret] = field(default_factory=empty)
    operations: Mapping[str, Operation] = field(default_factory=empty)
    changes: Mapping[str, Change] = field(default_factory=empty)

    def with_application(self, application: Application) -> Model:
        """Return the model with this application in it."""
        return replace(self, applications=put(self.applications, application.name, application))

    def with_unit(self, unit: Unit) -> Model:
        """Return the model with this unit in it."""
        return replace(self, units=put(self.units, unit.name, unit))

    def with_relation(self, relation: Relation) -> Model:
        """Return the model with this relation in it."""
        return replace(self, relations=put(self.relations, relation.id, relation))

    def with_secret(self, secret: Secret) -> Model:
        """Return the model with this secret in it."""
        return replace(self, secrets=put(self.secrets, secret.id, secret))

    def with_operation(self, operation: Operation) -> Model:
        """Return the model with this operation in it."""
        return replace(self, operations=put(self.operations, operation.id, operation))

    def with_change(self, change: Change) -> Model:
        """Return the model with this change in it."""
        return replace(self, changes=put(self.changes, change.id, change))

    def count(self, counter: str) -> tuple[Model, int]:
        """Return the model with the counter one up, and its new value (the first is 0)."""
        value = self.counters.get(counter, -1) + 1
        return replace(self, counters=put(self.counters, counter, value)), value

    def units_of(self, application: str) -> list[Unit]:
        """Return the application's units by number."""
        units = (unit for unit in self.units.values() if unit.application == application)
        return sorted(units, key=lambda unit: unit.ordinal)

    def relations_of(self, application: str) -> Iterator[Relation]:
        """Yield the application's relations by id."""
        for relation_id in sorted(self.relations):
            if self.relations[relation_id].side(application):
                yield self.relations[relation_id]

    def is_leader(self, unit: str) -> bool:
        """Return whether the unit leads its application."""
        application = self.applications.get(unit_application(unit))
        return application is not None and application.leader == unit
