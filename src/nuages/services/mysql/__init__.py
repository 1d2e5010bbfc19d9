"""mysql-k8s, built in: a database and a user of its own for each relation, on a real MariaDB."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import ops.pebble

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Console, Context, Relation
from nuages.services import driver, passwords, unit
from nuages.services.mysql import answer, server, users

_SYSTEM_SECRET = "system-users"  # noqa: S105  # a label
_CONNECTIONS, _CLUSTER = "experimental-max-connections", "cluster-name"
_FEWEST = 10
_START_TIMEOUT = 60.0  # seconds; a busy laptop makes the system tables in five
_WHO = "root, serverconfig or clusteradmin"


class MySQL:
    """The application as the engine sees it."""

    name = "mysql-k8s"
    summary = "MariaDB in place of MySQL: a database and a user of its own for each relation"
    version = server.VERSION
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "Real MariaDB on one unit; speaks what Charmhub's mysql-k8s speaks.",
        "containers": {server.CONTAINER: {}},
        "provides": {answer.ENDPOINT: {"interface": "mysql_client"}},
    }
    options: Mapping[str, Any] = {
        _CLUSTER: {"type": "string", "description": "The name that `get-cluster-status` shows."},
        _CONNECTIONS: {
            "type": "int",
            "description": f"Connections that the server takes, {_FEWEST} at least; 151 when unset.",
        },
    }
    actions: Mapping[str, Any] = {
        "get-cluster-status": {"description": "Show the one server in the words of a cluster's status."},
        "get-password": {
            "description": "Show the password of a system user; applications have their own.",
            "params": {"username": {"type": "string", "description": f"{_WHO}.", "default": users.ROOT}},
        },
        "set-password": {
            "description": "Change the password of a system user.",
            "params": {
                "username": {"type": "string", "description": f"{_WHO}.", "default": users.ROOT},
                "password": {"type": "string", "description": "The new password; a random one when left out."},
            },
        },
        "rotate-password": {
            "description": (
                "Give the user of a related application a new password; the old one serves for another minute. "
                "Only here: Charmhub's mysql-k8s has no such action."
            ),
            "params": passwords.PARAMS,
        },
    }
    programs = ("mariadb",)
    volumes: Mapping[str, str] = {"database": server.DATA}
    aliases = ("{application}-primary", "{application}-replicas")

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        return server.image(programs, directory)

    async def hook(self, context: Context) -> None:
        """Run the server, make users and databases as the relations want them, answer, and say how things are."""
        if context.relation and context.relation.breaking and context.is_leader:
            passwords.forget(context, driver.secret_label(context.relation, answer.SECRET_USER))

        async def serve() -> tuple[str, str]:
            if not await _start(context):
                return "waiting", driver.WAITING
            version, problem = await _serve(context)
            said = f"MariaDB {'.'.join(version.split('.')[:2])} in place of MySQL 8.0"
            return unit.status(problem, said)

        await unit.hook(context, serve)

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        if name == "get-cluster-status":
            return {"success": True, "status": await _cluster_status(context)}
        if name == "rotate-password":
            chosen = passwords.chosen(context, answer.ENDPOINT, params.get("application"))
            await _serve(context, rotate=chosen)
            return {"changed": ", ".join(sorted(chosen))}
        user = str(params.get("username") or users.ROOT)
        if user not in users.SYSTEM:
            raise driver.ServiceError(f"cannot find the system user {user!r}: there are {_WHO}")
        if name == "get-password":
            kept = context.secret(_SYSTEM_SECRET)
            if kept is None:
                raise driver.ServiceError("cannot show the password: the server has not started yet")
            return {"username": user, "password": kept[user]}
        password = str(params.get("password") or driver.new_password())
        await _serve(context, system={user: password})
        return {}

    def console(self, context: Context, relation: Relation) -> Console:
        """Return how to get into the relation's database as its requirer."""
        label = driver.secret_label(relation, answer.SECRET_USER)
        kept, database = context.secret(label), relation.local_app().get("database", "")
        if kept is None or not database:
            raise driver.ServiceError(
                f"cannot get into {context.application}: it has not answered {relation.remote_application} yet"
            )
        user = users.user_of(relation.id, context.model_uuid)
        return Console(
            url=f"mysql://{user}:{kept['password']}@{{address}}/{quote(database)}",
            port=server.PORT,
            argv=(*server.CLIENT, f"--socket={server.SOCKET}", f"--user={user}", database),
            environment={"MYSQL_PWD": kept["password"]},
        )


async def _start(context: Context) -> bool:
    """Have the server run and return whether it takes connections; wait for that where someone needs it."""
    asked = any(relation.remote_app().get("database") for relation in context.relations(answer.ENDPOINT))
    patient = unit.patient(context, asked)
    most = context.config.get(_CONNECTIONS)
    if most is not None and int(most) < _FEWEST:
        raise driver.Refused(f"{_CONNECTIONS} is {most}: set it to {_FEWEST} or more")

    def work(client: ops.pebble.Client) -> bool:
        change = driver.converge(client, server.workload(int(most) if most is not None else None))
        return driver.await_server(
            client,
            server.READY,
            change,
            server="MariaDB",
            application=context.application,
            timeout=_START_TIMEOUT if patient else 0,
        )

    return await driver.with_pebble(context, work)


async def _serve(
    context: Context, *, rotate: frozenset[str] = frozenset(), system: Mapping[str, str] | None = None
) -> tuple[str, str]:
    """Make users and databases for all relations and answer them.

    The users of the applications in `rotate` get new passwords, those of `system` these. Returns the server's version
    and the first problem of a requirer, or "".
    """
    if not context.is_leader:
        existing = users.Existing.parse(await driver.with_pebble(context, lambda it: server.sql(it, users.QUERY)))
        return existing.version, ""
    relations = context.relations(answer.ENDPOINT)
    problems: list[str] = []
    requests: list[tuple[Relation, answer.Request, passwords.Passwords]] = []
    for relation in relations:
        requirer = relation.remote_application
        user = users.user_of(relation.id, context.model_uuid)
        try:
            request = answer.parse(user, requirer, relation.remote_app(), relation.local_app())
        except driver.Refused as error:
            problems.append(str(error))
            continue
        if request:
            label = driver.secret_label(relation, answer.SECRET_USER)
            requests.append((relation, request, passwords.read(context, label, change=requirer in rotate)))
    kept = context.secret(_SYSTEM_SECRET) or {}
    words = {name: kept.get(name) or driver.new_password() for name in users.SYSTEM} | dict(system or {})
    wanted = [
        *(users.User(name, (users.hashed(word),)) for name, word in words.items()),
        *(
            users.User(request.user, tuple(map(users.hashed, pair.all)), request.database, request.roles)
            for _, request, pair in requests
        ),
    ]
    keep = {users.user_of(relation.id, context.model_uuid) for relation in relations}

    def work(client: ops.pebble.Client) -> str:
        existing = users.Existing.parse(server.sql(client, users.QUERY))
        script = users.script(wanted, existing, keep)
        if script:
            server.sql(client, script)
        return existing.version

    version = await driver.with_pebble(context, work)
    context.set_secret(_SYSTEM_SECRET, words)
    where = answer.Server(context.application, context.model, version)
    for relation, request, pair in requests:
        label = driver.secret_label(relation, answer.SECRET_USER)
        passwords.keep(context, label, pair)
        driver.give(context, relation, answer.answer(request, pair.present, where))
        if not request.secret:
            context.set_secret(label, {"password": pair.present})  # to remember it: nobody is granted this one
    return version, problems[0] if problems else ""


async def _cluster_status(context: Context) -> Mapping[str, Any]:
    """Return what MySQL Shell says of a cluster of one server, in the keys that the charm shows."""
    client = driver.with_pebble(context, lambda it: users.Existing.parse(server.sql(it, users.QUERY)).version)
    version, label = await client, context.unit.replace("/", "-")
    address = f"{context.fqdn}:{server.PORT}"
    member = {
        "address": address,
        "memberrole": "primary",
        "mode": "r/w",
        "role": "ha",
        "status": "online",
        "version": version,
    }
    return {
        "clustername": str(context.config.get(_CLUSTER) or context.application),
        "defaultreplicaset": {
            "name": "default",
            "primary": address,
            "status": "ok_no_tolerance",
            "statustext": "cluster is not tolerant to any failures.",
            "topology": {label: member},
            "topologymode": "single-primary",
        },
        "groupinformationsourcemember": address,
    }


SERVICE = MySQL()
