"""The engine's side of `nuages.engine.service`, in memory: one unit, its relations, its secrets, one real Pebble."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import ops.pebble

from nuages.errors import NuagesError

T = TypeVar("T")


@dataclass
class FakeRelation:
    id: int
    endpoint: str = "database"
    interface: str = "postgresql_client"
    remote_application: str = "notes"
    app: dict[str, str] = field(default_factory=dict)
    units: dict[str, dict[str, str]] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)
    own_unit: dict[str, str] = field(default_factory=dict)
    breaking: bool = False
    writes: int = 0

    @property
    def remote_units(self) -> tuple[str, ...]:
        return tuple(sorted(self.units))

    def remote_app(self) -> Mapping[str, str]:
        return dict(self.app)

    def remote_unit(self, unit: str) -> Mapping[str, str]:
        return dict(self.units[unit])

    def local_app(self) -> Mapping[str, str]:
        return dict(self.own)

    def local_unit(self) -> Mapping[str, str]:
        return dict(self.own_unit)

    def set_app(self, data: Mapping[str, str]) -> None:
        self.writes += 1
        self.own = {key: value for key, value in (self.own | dict(data)).items() if value}

    def set_unit(self, data: Mapping[str, str]) -> None:
        self.writes += 1
        self.own_unit = {key: value for key, value in (self.own_unit | dict(data)).items() if value}


@dataclass
class FakeContext:
    client: ops.pebble.Client | None
    unit: str = "postgresql-k8s/0"
    hook: str = "update-status"
    model: str = "dev"
    model_uuid: str = "c1f6ba3a-6c0a-4b5c-8a0c-0d3e2f7b8d11"
    is_leader: bool = True
    config: dict[str, Any] = field(default_factory=dict)
    address: str = "10.77.0.2"
    fqdn: str = "postgresql-k8s-0.postgresql-k8s-endpoints.dev.svc.cluster.local"
    leaving: bool = False
    relation: FakeRelation | None = None
    all_relations: list[FakeRelation] = field(default_factory=list)
    secrets: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    grants: dict[str, int | None] = field(default_factory=dict)
    granted: dict[str, dict[str, str]] = field(default_factory=dict)
    """Secrets of others that this application may read, by URI."""
    statuses: list[tuple[str, str]] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    host_port: int = 8000
    host_ports: dict[str, int] = field(default_factory=dict)
    """Further published ports by key."""
    outwards: dict[int, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    """Ways out of the model that were opened: port to what is permitted and the mend."""

    @property
    def application(self) -> str:
        return self.unit.partition("/")[0]

    @property
    def status(self) -> tuple[str, str]:
        return self.statuses[-1]

    def relations(self, endpoint: str | None = None) -> list[FakeRelation]:
        live = [r for r in self.all_relations if not r.breaking and endpoint in (None, r.endpoint)]
        return sorted(live, key=lambda relation: relation.id)

    def set_status(self, status: str, message: str = "") -> None:
        self.statuses.append((status, message))

    def set_secret(self, label: str, content: Mapping[str, str], *, relation: int | None = None) -> str:
        uri = self.secrets[label][0] if label in self.secrets else f"secret:{len(self.grants):0>20}"
        self.secrets[label] = (uri, dict(content))
        self.grants[uri] = relation
        return uri

    def secret(self, label: str) -> Mapping[str, str] | None:
        return self.secrets[label][1] if label in self.secrets else None

    def remote_secret(self, uri: str) -> Mapping[str, str]:
        if uri not in self.granted:
            raise NuagesError(f"cannot read {uri}: permission denied")
        return dict(self.granted[uri])

    def remove_secret(self, label: str) -> None:
        self.secrets.pop(label, None)

    async def pebble(self, function: Callable[[ops.pebble.Client], T]) -> T:
        if self.client is None:
            raise ops.pebble.ConnectionError("no socket")
        return await asyncio.to_thread(function, self.client)

    def volume(self, name: str) -> Path:
        raise AssertionError(name)

    async def publish(self, key: str, port: int, *, preferred: int) -> int:
        if key == "web":
            assert (port, preferred) == (80, 8000)
            return self.host_port
        return self.host_ports.setdefault(key, preferred)

    async def outward(self, port: int, *, permitted: Sequence[str], fix: str) -> None:
        self.outwards[port] = (tuple(permitted), fix)

    def log(self, level: str, message: str) -> None:
        self.logged.append(message)

    def content(self, uri: str) -> dict[str, str]:
        return next(content for known, content in self.secrets.values() if known == uri)
