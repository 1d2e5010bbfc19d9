"""The context that a built-in application's hook gets: the same buffered writes as a charm's."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import ops.pebble

from nuages.engine.errors import EngineError
from nuages.engine.hooks import secrets
from nuages.engine.hooks.context import HookContext
from nuages.engine.pods import Pod
from nuages.engine.pods.outward import open_way
from nuages.engine.podspec import fqdn
from nuages.engine.secrets import Attributes, bare
from nuages.engine.service import Relation
from nuages.engine.state import Model, Secret, put
from nuages.engine.threads import blocking
from nuages.engine.world import World

T = TypeVar("T")
LOOPBACKS = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


class BuiltInRelation:
    """A relation in the hook of a built-in application."""

    def __init__(self, context: HookContext, relation_id: int) -> None:
        self._context = context
        self.id = relation_id
        side = context.endpoint_of(relation_id)
        self.endpoint = side.endpoint
        self.interface = side.interface
        self.remote_application = context.remote_application(relation_id)
        self.remote_units = tuple(context.remote_units(relation_id))
        self.breaking = context.hook.kind == "relation-broken" and context.hook.relation == relation_id

    def remote_app(self) -> Mapping[str, str]:
        """Return the remote application's databag."""
        return self._context.read_bag(self.id, self.remote_application)

    def remote_unit(self, unit: str) -> Mapping[str, str]:
        """Return a remote unit's databag."""
        return self._context.read_bag(self.id, unit)

    def local_app(self) -> Mapping[str, str]:
        """Return the own application's databag."""
        return self._context.read_bag(self.id, self._context.unit.application)

    def local_unit(self) -> Mapping[str, str]:
        """Return the own unit's databag."""
        return self._context.read_bag(self.id, self._context.unit_name)

    def set_app(self, data: Mapping[str, str]) -> None:
        """Merge into the own application's databag."""
        self._context.write_bag(self.id, data, application=True)

    def set_unit(self, data: Mapping[str, str]) -> None:
        """Merge into the own unit's databag."""
        self._context.write_bag(self.id, data, application=False)


class BuiltInContext:
    """One hook of a built-in application's unit: what `service.Context` promises."""

    def __init__(self, world: World, pod: Pod, context: HookContext) -> None:
        self._world = world
        self._pod = pod
        self._context = context
        self.hook = context.name
        self.unit = context.unit_name
        self.application = context.unit.application
        self.model = context.draft.name
        self.model_uuid = context.draft.uuid
        self.address = context.unit.address
        self.fqdn = fqdn(self.model, self.unit)
        self.leaving = context.unit.life == "dying"

    @property
    def is_leader(self) -> bool:
        """Whether this unit leads its application."""
        return self._context.is_leader

    @property
    def config(self) -> Mapping[str, Any]:
        """Options that are set or have a default."""
        return self._context.config()

    @property
    def relation(self) -> BuiltInRelation | None:
        """The relation of a relation hook."""
        number = self._context.hook.relation
        return None if number is None else BuiltInRelation(self._context, number)

    def relations(self, endpoint: str | None = None) -> list[Relation]:
        """Return the live relations, of one endpoint or of all, by id."""
        endpoints = [endpoint] if endpoint else list(self._context.application.charm.endpoints)
        numbers = sorted(number for name in endpoints for number in self._context.relation_ids(name))
        return [BuiltInRelation(self._context, number) for number in numbers]

    def set_status(self, status: str, message: str = "") -> None:
        """Set the unit's status."""
        self._context.set_status(status, message, application=False)

    def set_secret(self, label: str, content: Mapping[str, str], *, relation: int | None = None) -> str:
        """Create the application's secret of this label, or a new revision when the content differs."""
        found = self._own_secret(label)
        if found is None:
            uri = secrets.add(self._context, "application", content, Attributes(label=label))
        else:
            uri = f"secret:{found.id}"
            secrets.change(self._context, uri, content, Attributes())
        if relation is not None:
            remote = self._context.remote_application(relation)
            granted = self._context.draft.secrets[bare(uri)].grants
            if granted.get(remote) != relation:
                secrets.grant(self._context, uri, relation, None)
        return uri

    def secret(self, label: str) -> Mapping[str, str] | None:
        """Return the latest content of the application's secret of this label."""
        found = self._own_secret(label)
        return found.revisions[found.latest].content if found and found.latest else None

    def remote_secret(self, uri: str) -> Mapping[str, str]:
        """Return the latest content of another application's secret."""
        return secrets.get(self._context, uri, "", refresh=True)

    def remove_secret(self, label: str) -> None:
        """Remove the application's secret of this label."""
        found = self._own_secret(label)
        if found is not None:
            secrets.remove(self._context, found.id, None)

    async def pebble(self, function: Callable[[ops.pebble.Client], T]) -> T:
        """Run blocking work with the client of the one container."""
        (container,) = self._pod.containers.values()
        return await container.call(function)

    def volume(self, name: str) -> Path:
        """Return the host path of a volume."""
        return self._world.volume(self.unit, name)

    async def publish(self, key: str, port: int, *, preferred: int) -> int:
        """Publish a port of this pod on the host's loopback and return the host port."""
        return await publish(self._world, f"{self.application}/{key}", self.fqdn, port, preferred)

    async def outward(self, port: int, *, permitted: Sequence[str], fix: str) -> None:
        """Open the pod's way out, a proxy on a port of its own loopback, or change whom it may reach."""
        await blocking(open_way, self._pod, port, permitted, fix)

    def log(self, level: str, message: str) -> None:
        """Write to the debug-log."""
        self._context.log(level.upper(), message)

    def _own_secret(self, label: str) -> Secret | None:
        for secret in self._context.draft.secrets.values():
            if secret.owner == self.application and secret.label == label:
                return secret
        return None


async def publish(world: World, key: str, host: str, port: int, preferred: int) -> int:
    """Lead a port of both loopbacks to `host`:`port` in the model; the same one for a key, always.

    Raises:
        EngineError: the port that was chosen once is taken by another program.
    """
    async with world.publishing:
        published = await world.pods.published()
        chosen = world.state.published.get(key)
        if chosen is not None and ("127.0.0.1", chosen) in published:
            for (address, listen), target in published.items():
                if listen == chosen and target != (host, port):
                    await world.pods.retarget(address, listen, host, port)
            return chosen
        number, listeners = _listen(world, key, chosen, preferred)
        world.apply(lambda model: _remember(model, key, number))
        with contextlib.ExitStack() as stack:
            for listener in listeners:
                stack.callback(listener.close)  # if the relay refuses one, none may keep the port from the next try
            for listener in listeners:
                await world.pods.publish(listener, host, port)
        return number


def _remember(model: Model, key: str, port: int) -> Model:
    return replace(model, published=put(model.published, key, port))


def _listen(world: World, key: str, chosen: int | None, preferred: int) -> tuple[int, list[socket.socket]]:
    if chosen is not None:
        listeners = _bind(chosen)
        if listeners is None:
            raise EngineError(
                f"cannot publish {key} on port {chosen}: another program uses it",
                fix=f"stop that program (ss -ltnp 'sport = :{chosen}' names it); it is tried again by itself",
                code="port-taken",
            )
        return chosen, listeners
    taken = world.taken_ports()
    for number in range(preferred, min(preferred + 1000, 65536)):
        if number not in taken and (listeners := _bind(number)) is not None:
            return number, listeners
    raise EngineError(f"cannot publish {key}: no port from {preferred} on is free", fix="stop a program that holds one")


def _bind(port: int) -> list[socket.socket] | None:
    """Return listeners on both loopbacks, None when somebody has the port on one of them."""
    listeners: list[socket.socket] = []
    for family, address in LOOPBACKS:
        with contextlib.ExitStack() as stack:
            try:
                listener = stack.enter_context(socket.socket(family))
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind((address, port))
                listener.listen(256)
            except OSError as error:
                if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    continue  # a machine without IPv6
                for made in listeners:
                    made.close()
                return None
            stack.pop_all()
            listeners.append(listener)
    return listeners
