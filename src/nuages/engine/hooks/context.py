"""One hook's view of the model: reads from a snapshot, writes that wait for the hook's success.

Every buffered write is a pure function of the model. It is applied to the hook's own draft at once, so that the hook
sees it, and kept; `replay` applies them all to the model as it is when the hook has ended well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from nuages.engine import config
from nuages.engine.charm import empty
from nuages.engine.hooks.errors import ToolError, UsageError
from nuages.engine.lifecycle import write_bag
from nuages.engine.resolver import hook_name
from nuages.engine.resolver.advance import joined_members
from nuages.engine.resolver.relations import NEW
from nuages.engine.secrets import NOT_LEADER
from nuages.engine.state import Application, Bag, Hook, Model, Relation, RelationState, Side, Status, Unit

Write = Callable[[Model], Model]
SETTABLE = ("maintenance", "blocked", "waiting", "active")


class Sink(Protocol):
    """Where effects go that outlive a failing hook."""

    def apply(self, write: Write) -> None:
        """Commit a change of the model now."""
        ...

    def log(self, level: str, message: str) -> None:
        """Write to the debug-log."""
        ...

    def action_log(self, message: str) -> None:
        """Write to the running action's log."""
        ...


@dataclass
class RemoteCache:
    """What a unit has read of remote units: kept from hook to hook until their joined or changed hook."""

    bags: dict[tuple[int, str], Bag] = field(default_factory=empty)


class HookContext:
    """What hook tools and built-in applications work on."""

    def __init__(
        self, model: Model, unit: str, hook: Hook, sink: Sink, *, cache: RemoteCache, resources: Mapping[str, str]
    ) -> None:
        """Start a context on a snapshot.

        Args:
            model: the model now.
            unit: whose hook.
            hook: what runs.
            sink: for effects that do not wait.
            cache: the unit's own, kept between its hooks.
            resources: resource name to its path in the charm container.
        """
        self.before = model
        self.draft = model
        self.unit_name = unit
        self.hook = hook
        self.sink = sink
        self.resources = resources
        self.writes: list[Write] = []
        self.results: dict[str, Any] = {}
        self.failure: str | None = None
        self.revised: set[str] = set()
        self._cache = cache
        if hook.relation is not None and hook.remote_unit:
            cache.bags.pop((hook.relation, hook.remote_unit), None)

    # what is there

    @property
    def name(self) -> str:
        """The hook's name."""
        return hook_name(self.before, self.unit_name, self.hook)

    @property
    def unit(self) -> Unit:
        """The unit, with the writes of this hook."""
        return self.draft.units[self.unit_name]

    @property
    def application(self) -> Application:
        """The unit's application."""
        return self.draft.applications[self.unit.application]

    @property
    def is_leader(self) -> bool:
        """Whether the unit leads."""
        return self.draft.is_leader(self.unit_name)

    def config(self) -> dict[str, Any]:
        """Return the options that are set or have a default."""
        return config.effective(self.application.charm.options, self.application.config)

    def write(self, write: Write) -> None:
        """Make a write that waits for the hook's success; it is visible in this hook at once."""
        self.draft = write(self.draft)
        self.writes.append(write)

    def replay(self, model: Model) -> Model:
        """Return the model with this hook's writes.

        Raises:
            EngineError: a write is no longer allowed; then the hook has failed.
        """
        for write in self.writes:
            model = write(model)
        return model

    # relations

    def relation_ids(self, endpoint: str) -> list[int]:
        """Return the relations of an endpoint that this unit takes part in, the broken ones excepted."""
        found: list[int] = []
        for relation in self.draft.relations_of(self.unit.application):
            side = relation.side(self.unit.application)
            if side and side.endpoint == endpoint and self._taking_part(relation):
                found.append(relation.id)
        return found

    def endpoint_of(self, relation_id: int) -> Side:
        """Return this unit's side of the relation."""
        side = self.relation(relation_id).side(self.unit.application)
        assert side is not None
        return side

    def relation(self, relation_id: int) -> Relation:
        """Return a relation that this unit has entered; one whose broken hook has run is no longer its own.

        Raises:
            ToolError: it has none of this number.
        """
        relation = self.draft.relations.get(relation_id)
        if relation is None or self.unit_name not in relation.bags or self._told(relation_id).broken:
            raise ToolError("relation not found")
        return relation

    def remote_application(self, relation_id: int) -> str:
        """Return the application on the other side."""
        return self.relation(relation_id).other(self.unit.application).application

    def remote_units(self, relation_id: int) -> list[str]:
        """Return the remote units whose joined hook has run or runs now, without the departing one."""
        self.relation(relation_id)
        return joined_members(self.before, self.unit_name, relation_id, self.hook)

    def read_bag(self, relation_id: int, entity: str) -> Bag:
        """Return the databag of a unit or application in a relation.

        Raises:
            ToolError: no such relation, not allowed, or the entity is no part of it.
        """
        relation = self.relation(relation_id)
        own = self.unit.application
        if entity == own and not relation.peer and not self.is_leader:
            raise ToolError("permission denied")
        if relation.side(entity) is None and entity not in relation.bags:
            shown = f"{self.endpoint_of(relation_id).endpoint}:{relation_id}"
            raise ToolError(f'cannot read settings for "{entity}" in relation "{shown}": settings not found')
        if "/" not in entity or entity == self.unit_name:
            return relation.bag(entity).data
        if entity not in self.remote_units(relation_id):
            return relation.bag(entity).data
        return self._cache.bags.setdefault((relation_id, entity), relation.bag(entity).data)

    def write_bag(self, relation_id: int, data: Mapping[str, str], *, application: bool) -> None:
        """Merge into the unit's or the application's own databag; "" deletes.

        Raises:
            ToolError: no such relation, or the application's databag without being leader.
        """
        self.relation(relation_id)
        if application and not self.is_leader:
            raise ToolError("cannot write relation settings")
        entity = self.unit.application if application else self.unit_name
        content = dict(data)

        def write(model: Model) -> Model:
            relation = model.relations.get(relation_id)
            return model.with_relation(write_bag(relation, entity, content)) if relation else model

        self.write(write)

    # status: seen at once, kept when the hook fails

    def set_status(self, status: str, message: str, *, application: bool) -> None:
        """Set the unit's or the application's status.

        Raises:
            ToolError: no such status, or the application's without being leader.
        """
        if status not in SETTABLE:
            raise UsageError(f'invalid status "{status}", expected one of [{" ".join(SETTABLE)}]')
        if application and not self.is_leader:
            raise ToolError(NOT_LEADER)
        name, value = self.unit_name, Status(status, message, time.time())

        def write(model: Model) -> Model:
            unit = model.units[name]
            if application:
                return model.with_application(replace(model.applications[unit.application], status=value))
            return model.with_unit(replace(unit, status=value))

        self.immediate(write)

    def set_version(self, version: str) -> None:
        """Set the workload's version, shown by status."""
        name = self.unit.application
        self.immediate(lambda model: model.with_application(replace(model.applications[name], version=version)))

    def immediate(self, write: Write) -> None:
        """Make a change that does not wait for the hook's end."""
        self.draft = write(self.draft)
        self.sink.apply(write)

    def log(self, level: str, message: str) -> None:
        """Write to the debug-log, with the relation's name in relation hooks."""
        if self.hook.relation is not None and self.hook.relation in self.before.relations:
            side = self.before.relations[self.hook.relation].side(self.unit.application)
            message = f"{side.endpoint}:{self.hook.relation}: {message}" if side else message
        self.sink.log(level, message)

    # ports and the unit's own memory

    def set_ports(self, change: Callable[[set[str]], set[str]]) -> None:
        """Change the set of opened ports (`8000/tcp`)."""
        name = self.unit_name

        def write(model: Model) -> Model:
            unit = model.units[name]
            return model.with_unit(replace(unit, ports=tuple(sorted(change(set(unit.ports))))))

        self.write(write)

    def set_memory(self, data: Mapping[str, str], *, delete: tuple[str, ...] = ()) -> None:
        """Merge into what `state-get` reads."""
        name, content = self.unit_name, dict(data)

        def write(model: Model) -> Model:
            unit = model.units[name]
            merged = {key: value for key, value in {**unit.memory, **content}.items() if key not in delete}
            return model.with_unit(replace(unit, memory=merged))

        self.write(write)

    def _told(self, relation_id: int) -> RelationState:
        return self.unit.local.relations.get(relation_id, NEW)

    def _taking_part(self, relation: Relation) -> bool:
        breaking = self.hook.kind == "relation-broken" and self.hook.relation == relation.id
        return self.unit_name in relation.members and not self._told(relation.id).broken and not breaking
