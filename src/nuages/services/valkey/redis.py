"""redis-k8s, built in: the `redis` interface on a real Valkey, which speaks Redis' protocol.

The interface has no field for a password. So, as Charmhub's redis-k8s does, the server wants one until an application
is related by it, and none while one is: then whoever is in the model may read and write, nobody outside can connect.
"""

from __future__ import annotations

from collections.abc import Mapping
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
_LAYOUT = server.Layout("redis", "/var/lib/redis")


class Redis:
    """The application as the engine sees it."""

    name = "redis-k8s"
    summary = "Redis' protocol, by Valkey: a cache without a password for each relation"
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
            "description": "Show the password of the default user, in force while no application is related."
        },
    }
    programs = ("valkey",)
    volumes: Mapping[str, str] = {"database": _LAYOUT.data}
    aliases: tuple[str, ...] = ()

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        return server.image(programs, directory)

    async def hook(self, context: Context) -> None:
        """Run the server with or without a password as the relations want it, and say where it is."""

        async def serve() -> tuple[str, str]:
            relations = context.relations(ENDPOINT)
            kept = context.secret(_PASSWORD)
            password = kept["password"] if kept else driver.new_password()
            user = User("default", () if relations else (password,))
            waits = unit.patient(context, bool(relations))
            if not await server.run(context, _LAYOUT, (user,), patient=waits):
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
        """Return how to get at the keys; while an application is related there is no password."""
        return server.console("", "")


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
