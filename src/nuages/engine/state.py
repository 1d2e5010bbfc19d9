"""The entities of a model: frozen dataclasses. A mutation is a function from one `Model` to the next.

Everything here is plain data that `store` keeps; what only lives with a process (pods, clients, tasks) is elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from nuages.engine.charm import Charm, Role, empty

K = TypeVar("K")
V = TypeVar("V")

Life = Literal["alive", "dying"]
MODEL_SCOPE = -1
"""The scope of a user's grant, where a charm's has a relation's number."""
Bag = Mapping[str, str]


def put(mapping: Mapping[K, V], key: K, value: V) -> dict[K, V]:
    """Return a copy of the mapping with the key set."""
    return {**mapping, key: value}


def drop(mapping: Mapping[K, V], key: K) -> dict[K, V]:
    """Return a copy of the mapping without the key."""
    return {k: v for k, v in mapping.items() if k != key}


def unit_application(unit: str) -> str:
    """Return `notes` for `notes/0`."""
    return unit.partition("/")[0]


def unit_ordinal(unit: str) -> int:
    """Return 0 for `notes/0`."""
    return int(unit.partition("/")[2])


def unit_key(unit: str) -> tuple[str, int]:
    """Sort key: by application, then by number."""
    return unit_application(unit), unit_ordinal(unit)


@dataclass(frozen=True)
class Status:
    """A workload, application or agent status, and since when (seconds since the epoch)."""

    status: str = "unknown"
    message: str = ""
    since: float = 0.0


@dataclass(frozen=True)
class Application:
    """A deployed charm. `revision` counts charm and resource changes; a pod belongs to one of them."""

    name: str
    charm: Charm
    units: int = 1
    life: Life = "alive"
    config: Mapping[str, Any] = field(default_factory=empty)
    config_version: int = 1
    resources: Mapping[str, str] = field(default_factory=empty)
    revision: int = 1
    leader: str = ""
    status: Status | None = None
    version: str = ""
    trust: bool = False
    since: float = 0.0


@dataclass(frozen=True)
class Hook:
    """One thing for a unit to run. Only the fields of its kind are set."""

    kind: str
    relation: int | None = None
    remote_unit: str = ""
    remote_application: str = ""
    departing_unit: str = ""
    container: str = ""
    boot_id: str = ""
    notice: str = ""
    notice_type: str = ""
    notice_key: str = ""
    notice_at: str = ""
    check: str = ""
    secret: str = ""
    secret_revision: int = 0
    operation: str = ""
    storage: str = ""


@dataclass(frozen=True)
class Pending:
    """The hook that runs now, or that failed and waits for its next try; or is to be passed over (`skip`)."""

    hook: Hook
    running: bool = True
    failures: int = 0
    retry_at: float = 0.0
    skip: bool = False


@dataclass(frozen=True)
class RelationState:
    """What a unit has been told about one relation: the agent's side, not the model's."""

    created: bool = False
    broken: bool = False
    members: Mapping[str, int] = field(default_factory=empty)
    applications: Mapping[str, int] = field(default_factory=empty)
    changed_pending: str = ""


@dataclass(frozen=True)
class Local:
    """What a unit has run: the agent's memory, written in the same transaction as the hook's effects."""

    installed: bool = False
    started: bool = False
    stopped: bool = False
    removed: bool = False
    leader_elected: bool = False
    config_version: int = 0
    config_address: str = ""
    upgrade: bool = False
    start_due: bool = False
    queued: str = ""
    storage: tuple[str, ...] = ()
    relations: Mapping[int, RelationState] = field(default_factory=empty)
    ready: Mapping[str, str] = field(default_factory=empty)
    notices: Mapping[str, str] = field(default_factory=empty)
    secrets: Mapping[str, int] = field(default_factory=empty)
    update_status_at: float = 0.0


@dataclass(frozen=True)
class Unit:
    """One unit. `pod` is the revision of the application its pod was made for, 0 when it has none.

    A `forced` one is removed whatever its hooks say: those that fail are passed over.
    """

    name: str
    life: Life = "alive"
    address: str = ""
    pod: int = 0
    replace: bool = False
    status: Status = Status("waiting", "installing agent")
    agent: Status = Status("allocating", "")
    local: Local = Local()
    pending: Pending | None = None
    ports: tuple[str, ...] = ()
    memory: Bag = field(default_factory=empty)
    forced: bool = False

    @property
    def application(self) -> str:
        """The application's name."""
        return unit_application(self.name)

    @property
    def ordinal(self) -> int:
        """The number in the unit's name."""
        return unit_ordinal(self.name)

    @property
    def failed(self) -> bool:
        """Whether a hook failed and has not succeeded since."""
        return self.pending is not None and self.pending.failures > 0


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


@dataclass(frozen=True)
class SecretRevision:
    """One revision of a secret's content."""

    content: Bag
    checksum: str
    created: float = 0.0
    expire: float | None = None


@dataclass(frozen=True)
class Consumer:
    """An entity that has read a secret: the revision it is pinned to, and its own label."""

    revision: int = 0
    label: str = ""


@dataclass(frozen=True)
class Secret:
    """A secret; `owner` is a unit, an application or "" for the model.

    `grants`: entity to relation id, or `MODEL_SCOPE` when a user granted it. `newest` and `checksum` are those of the
    newest revision ever made, which stays the latest when it is removed: no number is used twice.
    """

    id: str
    owner: str
    label: str = ""
    description: str = ""
    rotate: str = "never"
    rotate_at: float | None = None
    revisions: Mapping[int, SecretRevision] = field(default_factory=empty)
    grants: Mapping[str, int] = field(default_factory=empty)
    consumers: Mapping[str, Consumer] = field(default_factory=empty)
    created: float = 0.0
    updated: float = 0.0
    newest: int = 0
    checksum: str = ""
    auto_prune: bool = False

    @property
    def latest(self) -> int:
        """The number of the newest revision ever made."""
        return max(self.newest, max(self.revisions, default=0))


@dataclass(frozen=True)
class Operation:
    """An action or a command that waits, runs or has run on a unit."""

    id: str
    unit: str
    kind: Literal["action", "exec"]
    name: str = ""
    params: Mapping[str, Any] = field(default_factory=empty)
    argv: tuple[str, ...] = ()
    status: Literal["pending", "running", "completed", "failed"] = "pending"
    message: str = ""
    results: Mapping[str, Any] = field(default_factory=empty)
    log: tuple[str, ...] = ()
    change: str = ""


@dataclass(frozen=True)
class Task:
    """One step of a change; `log` holds lines for people."""

    id: str
    summary: str
    status: str = "Doing"
    log: tuple[str, ...] = ()


@dataclass(frozen=True)
class Goal:
    """What must hold before a change is ready: a kind, the application, and a number or name."""

    kind: Literal["settled", "gone", "relation-gone", "operation"]
    application: str = ""
    subject: str = ""
    number: int = 0


@dataclass(frozen=True)
class Change:
    """A recorded mutation, as in Pebble and snapd."""

    id: str
    kind: str
    summary: str
    status: Literal["Do", "Doing", "Done", "Error", "Undone"] = "Doing"
    tasks: tuple[Task, ...] = ()
    goals: tuple[Goal, ...] = ()
    error: str = ""
    fix: str = ""
    result: Mapping[str, Any] | None = None
    spawned: float = 0.0
    ready: float | None = None


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
