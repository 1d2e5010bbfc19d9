"""Applications and units, and what a unit has run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nuages.engine.charm import Charm, empty
from nuages.engine.state.common import Bag, Life, Status, unit_application, unit_ordinal

_INSTALLING, _ALLOCATING = Status("waiting", "installing agent"), Status("allocating", "")


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
    status: Status = _INSTALLING
    agent: Status = _ALLOCATING
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
