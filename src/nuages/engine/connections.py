"""A person's way into a server: the console of the built-in application that an endpoint is related to."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from nuages.engine import lifecycle
from nuages.engine.builtin import BuiltInContext, BuiltInRelation
from nuages.engine.errors import EngineError, NotFound
from nuages.engine.hooks.context import HookContext, RemoteCache, Write
from nuages.engine.pods import Container, Pod
from nuages.engine.podspec import fqdn
from nuages.engine.service import Console
from nuages.engine.state import Application, Hook, Relation
from nuages.engine.world import World

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Way:
    """A console and the pod of its server."""

    console: Console
    provider: str
    pod: Pod

    @property
    def container(self) -> Container:
        """Return the server's container: a built-in application has one."""
        (container,) = self.pod.containers.values()
        return container


def find(world: World, name: str, endpoint: str) -> Way:
    """Return the way from an application's endpoint into the server behind it, with the credentials of that relation.

    Raises:
        NotFound: no such application or endpoint.
        EngineError: the endpoint is related to nothing, or to what has no console; the pod does not run.
    """
    doing = f"cannot connect {name} {endpoint}"
    application = lifecycle.application(world.state, name)
    relation = _relation(world, application, endpoint, doing)
    side = relation.other(name)
    provider = world.state.applications[side.application]
    if not provider.charm.built_in:
        raise EngineError(
            f"{doing}: {provider.name} is no built-in application, so nothing is known of its server",
            fix=f"nuages show-unit {provider.name}/0 shows what it says; nuages ssh {provider.name}/0 opens a shell",
            code="no-console",
        )
    # The server that takes writes is in unit 0; what an application says on a relation its leader may read.
    server = f"{provider.name}/0"
    pod = world.pods.pod(server)
    if pod is None or not provider.leader:
        raise EngineError(f"{doing}: the pod of {server} does not run", fix="nuages status")
    service = world.services[provider.charm.name]
    reader = HookContext(
        world.state, provider.leader, Hook("update-status"), _Nothing(), cache=RemoteCache(), resources={}
    )
    sight = BuiltInContext(world, pod, reader)
    return Way(service.console(sight, BuiltInRelation(reader, relation.id)), provider.name, pod)


def command(way: Way, words: Sequence[str], *, tty: bool) -> list[str]:
    """Return what to execute on the host, in the console's environment: its client with these further words.

    Raises:
        EngineError: there is no client where the server is.
    """
    if not way.console.argv:
        raise EngineError(
            f"cannot open a console: {way.provider} has no client in its container",
            fix="use a tool of this machine: add --print",
            code="no-client",
        )
    console = way.console
    return way.container.enter_privately([*console.argv, *words], given=console.environment, tty=tty)


@contextlib.asynccontextmanager
async def forwarded(world: World, way: Way) -> AsyncGenerator[str]:
    """Publish the server on a free port of the loopback for as long as the block runs; give the URL for it."""
    listener = socket.socket()
    try:
        listener.bind((LOOPBACK, 0))
        listener.listen(64)
        port = listener.getsockname()[1]
    except OSError as error:
        listener.close()
        raise EngineError(f"cannot open a port on {LOOPBACK}: {error.strerror}") from None
    await world.pods.publish(listener, fqdn(world.state.name, way.pod.unit), way.console.port)
    try:
        yield way.console.url.replace("{address}", f"{LOOPBACK}:{port}")
    finally:
        await world.pods.unpublish(port)


async def forget_strays(world: World) -> None:
    """Unpublish what nobody remembers: ports of commands whose daemon was killed."""
    known = set(world.state.published.values())
    for port in {port for _, port in await world.pods.published()} - known:
        await world.pods.unpublish(port)


def _relation(world: World, application: Application, endpoint: str, doing: str) -> Relation:
    name = application.name
    related: dict[str, Relation] = {}
    for _, relation in sorted(world.state.relations.items()):
        side = relation.side(name)
        if side and not relation.peer and relation.life == "alive":
            related.setdefault(side.endpoint, relation)
    # On some interfaces the server is the one that requires: Prometheus does, of what it scrapes.
    served = {key for key, relation in related.items() if _built_in(world, relation.other(name).application)}
    wanted = {
        key: found for key, found in application.charm.endpoints.items() if found.role == "requirer" or key in served
    }
    if endpoint not in wanted:
        if application.charm.built_in:
            users = _users(world, name) or f"nuages integrate APPLICATION {name}"
            raise EngineError(
                f"{doing}: {name} is the server's side", fix=f"name the application that uses it: {users}"
            )
        names = ", ".join(key + ("" if key in related else " (not related)") for key in sorted(wanted)) or "none"
        raise NotFound(
            f"{doing}: {name} has no endpoint {endpoint!r} that requires something", fix=f"endpoints: {names}"
        )
    if endpoint not in related:
        interface = wanted[endpoint].interface
        provider = next(
            (
                service.name
                for service in world.services.values()
                if any(entry["interface"] == interface for entry in service.metadata.get("provides", {}).values())
            ),
            "",
        )
        raise EngineError(
            f"{doing}: it is not related",
            fix=f"nuages integrate {name}:{endpoint} {provider or f'APPLICATION, which provides {interface}'}",
            code="not-related",
        )
    return related[endpoint]


def _built_in(world: World, name: str) -> bool:
    return world.state.applications[name].charm.built_in


def _users(world: World, provider: str) -> str:
    """Return the commands that are meant by who names the provider's side."""
    found = [
        f"nuages connect {relation.other(provider).application} {relation.other(provider).endpoint}"
        for _, relation in sorted(world.state.relations.items())
        if relation.side(provider) and not relation.peer
    ]
    return ", or: ".join(found)


class _Nothing:
    """The sink of a context that only reads."""

    def apply(self, write: Write) -> None:
        """Refuse: a console changes nothing."""
        raise AssertionError("a console does not write")

    def log(self, level: str, message: str) -> None:
        """Drop it."""

    def action_log(self, message: str) -> None:
        """Drop it."""
