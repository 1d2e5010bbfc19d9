"""redis-k8s, built in: the `redis` interface on a real Valkey, which speaks Redis' protocol.

The interface has no field for a password, and Charmhub's redis-k8s wants none from anybody while an application is
related. Here the server always wants one, and a gate before it (`files/gate.py`) gives it for connections from the pods
of related applications: they need none, others in the model do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Console, Context, Relation
from nuages.services import driver, unit
from nuages.services.valkey import server
from nuages.services.valkey.users import User

ENDPOINT = "redis"
NOTE = "Valkey in place of Redis"
_PASSWORD = "redis-password"  # noqa: S105  # a label
_LAYOUT = server.Layout("redis", "/var/lib/redis", gate=True)


class Redis:
    """The application as the engine sees it."""

    name = "redis-k8s"
    summary = "Redis' protocol, by Valkey: a cache that related applications need no password for"
    version = server.VERSION
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "Real Valkey on one unit; speaks what Charmhub's redis-k8s speaks.",
        "containers": {_LAYOUT.container: {}},
        "provides": {ENDPOINT: {"interface": "redis"}},
    }
    options: Mapping[str, Any] = {}
    actions: Mapping[str, Any] = {
        "check-service": {"description": "Tell whether the server answers."},
        "get-initial-admin-password": {
            "description": "Show the password of the default user, which related applications do not need."
        },
    }
    programs = ("valkey",)
    volumes: Mapping[str, str] = {"database": _LAYOUT.data}
    aliases: tuple[str, ...] = ()

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        return server.image(programs, directory)

    async def hook(self, context: Context) -> None:
        """Run the server, let in whom the relations name, and say where it is."""

        async def serve() -> tuple[str, str]:
            relations = context.relations(ENDPOINT)
            kept = context.secret(_PASSWORD)
            password = kept["password"] if kept else driver.new_password()
            user = User("default", (password,))
            waits = unit.patient(context, bool(relations))
            gate = known(password, (relation.remote_application for relation in relations))
            if not await server.run(context, _LAYOUT, (user,), patient=waits, gate=gate):
                return "waiting", driver.WAITING
            if context.is_leader:
                context.set_secret(_PASSWORD, {"password": password})
            for relation in relations:
                _tell(context, relation)
            return "active", NOTE

        await unit.hook(context, serve)

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        if name == "get-initial-admin-password":
            kept = context.secret(_PASSWORD)
            if kept is None:
                raise driver.ServiceError("cannot show the password: the server has not started yet")
            return {"redis-password": kept["password"]}
        answers = await driver.with_pebble(context, lambda client: server.answers(client, _LAYOUT))
        return {"result": "Service is running" if answers else "Service is not running"}

    def console(self, context: Context, relation: Relation) -> Console:
        """Return how to get at the keys: as everybody who is not in a related application's pod."""
        kept = context.secret(_PASSWORD)
        if kept is None:
            raise driver.no_console(relation)
        return server.console("default", kept["password"])


def known(password: str, applications: Iterable[str]) -> dict[str, object]:
    """Return what the gate is to know: the password, and who need not know it."""
    return {"password": password, "applications": sorted(set(applications))}


def unit_bag(address: str) -> dict[str, str]:
    """Return what a unit says."""
    return {"hostname": address, "port": str(server.PORT)}


def app_bag(fqdn: str) -> dict[str, str]:
    """Return what the leader says."""
    return {"leader-host": fqdn}


def _tell(context: Context, relation: Relation) -> None:
    said = relation.local_unit()
    if delta := {key: value for key, value in unit_bag(context.address).items() if said.get(key) != value}:
        relation.set_unit(delta)
    if context.is_leader:
        driver.give(context, relation, driver.Answer(app_bag(context.fqdn)))


SERVICE = Redis()
