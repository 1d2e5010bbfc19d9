"""A built-in identity provider in a real container, without the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nuages.engine.service import Service
from nuages.services.identity import users
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.identity.person import Person, way
from tests.services.pod import Pod


@dataclass
class OpenContext(FakeContext):
    """Publishes a port as another one: the preferred one is taken on this machine."""

    def __post_init__(self) -> None:
        self.asked: set[tuple[str, int]] = set()

    async def publish(self, key: str, port: int, *, preferred: int) -> int:
        assert port == preferred
        self.asked.add((key, port))
        return port + 17


class Provider:
    """One application and what the engine does to it."""

    def __init__(self, service: Service, pod: Pod, port: int, options: Mapping[str, Any]) -> None:
        self.service, self.pod, self.port, self.options = service, pod, port, options
        (container,) = service.metadata["containers"]
        (self.endpoint,) = service.metadata["provides"]
        self.context = OpenContext(pod.client, unit=f"{service.name}/0", config=dict(options))
        self.base = f"http://{service.name}.localhost:{port + 17}"
        self.hook("install")
        self.hook(f"{container}-pebble-ready")
        assert self.context.status == ("active", f"people sign in at {self.base}")
        self.way, self._proxy = way(pod, port + 17)

    def hook(self, name: str, relation: FakeRelation | None = None) -> None:
        self.context.hook, self.context.relation = name, relation
        asyncio.run(self.service.hook(self.context))

    def act(self, name: str, **params: Any) -> dict[str, Any]:
        params = {key.replace("_", "-"): value for key, value in params.items()}
        return dict(asyncio.run(self.service.action(self.context, name, params)))

    def configure(self, **values: Any) -> None:
        self.context.config = dict(self.options) | values
        self.hook("config-changed")

    def integrate(self, number: int, application: str, **bag: str) -> FakeRelation:
        interface = self.service.metadata["provides"][self.endpoint]["interface"]
        relation = FakeRelation(number, self.endpoint, interface, remote_application=application, app=dict(bag))
        self.context.all_relations.append(relation)
        self.hook(f"{self.endpoint}-relation-created", relation)
        return relation

    def part(self, relation: FakeRelation) -> None:
        relation.breaking = True
        self.hook(f"{self.endpoint}-relation-broken", relation)
        self.context.all_relations.remove(relation)

    def person(self) -> Person:
        return Person(self.way)

    def password(self, name: str) -> str:
        return next(user.password for user in users.read(self.context) if user.name == name)
