"""What the engine knows about a charm: frozen dataclasses, read from its documents once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["provider", "requirer", "peer"]


def empty() -> dict[Any, Any]:
    """Return the default of a mapping; nobody changes it."""
    return {}


@dataclass(frozen=True)
class Endpoint:
    """One endpoint of a charm."""

    name: str
    role: Role
    interface: str
    limit: int = 0
    optional: bool | None = None
    scope: Literal["global", "container"] = "global"


@dataclass(frozen=True)
class Container:
    """One workload container of a charm: which resource it runs and which storage it mounts."""

    name: str
    resource: str = ""
    mounts: tuple[tuple[str, str], ...] = ()
    uid: int | None = None
    gid: int | None = None


@dataclass(frozen=True)
class Option:
    """One configuration option of a charm."""

    name: str
    type: str
    default: str | int | float | bool | None = None
    description: str = ""


@dataclass(frozen=True)
class Action:
    """One action of a charm; `params` is its JSON schema properties."""

    name: str
    description: str = ""
    params: Mapping[str, Any] = field(default_factory=empty)
    required: tuple[str, ...] = ()
    additional: bool = True


@dataclass(frozen=True)
class Charm:
    """What the engine knows about a charm; `digest` is the sha256 of the file or `built-in`."""

    name: str
    digest: str
    path: str = ""
    python: str = ""
    summary: str = ""
    endpoints: Mapping[str, Endpoint] = field(default_factory=empty)
    containers: tuple[Container, ...] = ()
    options: Mapping[str, Option] = field(default_factory=empty)
    actions: Mapping[str, Action] = field(default_factory=empty)
    resources: Mapping[str, str] = field(default_factory=empty)
    storage: Mapping[str, str] = field(default_factory=empty)

    @property
    def built_in(self) -> bool:
        """Whether the daemon itself plays this charm."""
        return self.digest == "built-in"
