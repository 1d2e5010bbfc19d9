"""postgresql-k8s, built in: a database and a user of its own for each relation, on a real PostgreSQL."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ops.pebble

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Context, Relation
from nuages.services import driver
from nuages.services.postgresql import answer, roles, server

_ALPHABET = string.ascii_letters + string.digits
_OPERATOR_SECRET = "operator-password"  # noqa: S105  # a label
_START_TIMEOUT = 60.0  # seconds; a busy laptop makes a cluster in five


class PostgreSQL:
    """The application as the engine sees it."""

    name = "postgresql-k8s"
    summary = "PostgreSQL: a database and a user of its own for each relation"
    version = server.VERSION
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "Real PostgreSQL on one unit; speaks what Charmhub's postgresql-k8s speaks.",
        "containers": {server.SERVICE: {}},
        "provides": {answer.ENDPOINT: {"interface": "postgresql_client"}},
    }
    options: Mapping[str, Any] = {}
    actions: Mapping[str, Any] = {
        "get-primary": {"description": "Name the unit that takes writes."},
        "get-password": {
            "description": "Show the password of the administrator's user.",
            "params": {"username": {"type": "string", "description": "Only `operator` exists.", "default": "operator"}},
        },
        "set-password": {
            "description": "Change the password of the administrator's user.",
            "params": {
                "username": {"type": "string", "description": "Only `operator` exists.", "default": "operator"},
                "password": {"type": "string", "description": "The new password; a random one when left out."},
            },
        },
    }
    programs = ("postgresql",)
    volumes: Mapping[str, str] = {"data": server.DATA}
    aliases = ("{application}-primary", "{application}-replicas")

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        return server.image(programs, directory)

    async def hook(self, context: Context) -> None:
        """Start the server, make users and databases as the relations want them, answer, and say how things are."""
        if context.relation and context.relation.breaking and context.is_leader:
            for key in answer.SECRETS:
                context.remove_secret(driver.secret_label(context.relation, key))
        if not driver.serves(context):
            context.set_status("blocked", driver.one_unit_only(context))
            return
        if context.hook in ("stop", "remove") or context.leaving:
            await self._leave(context)
            return
        try:
            ready = await self._start(context)
        except driver.NotReachable:
            context.set_status("waiting", "waiting for the container")
            return
        if not ready:
            context.set_status("waiting", driver.WAITING)
            return
        problem = await _serve(context) if context.is_leader else ""
        context.set_status("blocked" if problem else "active", problem)

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        if name == "get-primary":
            return {"primary": f"{context.application}/0"}
        user = str(params.get("username") or roles.OPERATOR)
        if user != roles.OPERATOR:
            raise driver.ServiceError(f"cannot find the user {user!r}: only {roles.OPERATOR} exists")
        if name == "get-password":
            kept = context.secret(_OPERATOR_SECRET)
            if kept is None:
                raise driver.ServiceError("cannot show the password: the server has not started yet")
            return {"password": kept["password"]}
        password = str(params.get("password") or _random())
        await _serve(context, operator=password)
        return {"password": password}

    async def _start(self, context: Context) -> bool:
        """Have the server run and return whether it takes connections; wait for that where someone needs it."""
        asked = any(relation.remote_app().get("database") for relation in context.relations(answer.ENDPOINT))
        failed = context.hook.endswith("pebble-check-failed")
        patient = (asked and not failed) or context.hook.endswith(("pebble-ready", "pebble-check-recovered"))

        def work(client: ops.pebble.Client) -> bool:
            change = driver.converge(client, server.workload())
            timeout = _START_TIMEOUT if patient else 0
            ready = driver.await_ready(
                client, server.READY, change, server="PostgreSQL", application=context.application, timeout=timeout
            )
            if patient and not ready:
                raise driver.ServiceError(
                    f"cannot reach PostgreSQL: it takes no connections after {timeout:.0f} s",
                    fix=f"nuages logs {context.application}",
                )
            return ready

        return await driver.with_pebble(context, work)

    async def _leave(self, context: Context) -> None:
        """Shut the server down cleanly, where it still runs; the data stay in the volume."""

        def work(client: ops.pebble.Client) -> None:
            if any(info.name == server.SERVICE and info.is_running() for info in client.get_services()):
                client.stop_services([server.SERVICE])

        try:
            await driver.with_pebble(context, work)
        except driver.NotReachable:
            context.log("DEBUG", "the container has gone already")
        context.set_status("maintenance", "stopping")


async def _serve(context: Context, *, operator: str = "") -> str:
    """Make users and databases for all relations and answer them; return the first problem of a requirer, or "".

    `operator` is the administrator's new password; without one it keeps the old, which the first time is made here.
    """
    relations = context.relations(answer.ENDPOINT)
    problems: list[str] = []
    requests: list[tuple[Relation, answer.Request, str]] = []
    for relation in relations:
        try:
            request = answer.parse(
                relation.id, relation.remote_application, relation.remote_app(), relation.local_app()
            )
        except driver.Refused as error:
            problems.append(str(error))
            continue
        if request:
            requests.append((relation, request, _password(context, relation)))
    kept = context.secret(_OPERATOR_SECRET)
    operator = operator or (kept["password"] if kept else _random())
    wanted = [
        roles.User(roles.OPERATOR, roles.verifier(roles.OPERATOR, operator), attributes=frozenset(roles.ATTRIBUTES)),
        *(
            roles.User(request.user, roles.verifier(request.user, password), request.database, request.attributes)
            for _, request, password in requests
        ),
    ]

    def work(client: ops.pebble.Client) -> None:
        existing = roles.Existing.parse(server.psql(client, roles.QUERY))
        script = roles.script(wanted, existing, [relation.id for relation in relations])
        if script:
            server.psql(client, script)

    await driver.with_pebble(context, work)
    context.set_secret(_OPERATOR_SECRET, {"password": operator})
    where = answer.Server(context.application, context.model, server.PORT, server.VERSION)
    for relation, request, password in requests:
        driver.give(context, relation, answer.answer(request, password, where))
    return problems[0] if problems else ""


def _password(context: Context, relation: Relation) -> str:
    """Return the password of a relation's user: the one it has been told, else a new one."""
    kept = context.secret(driver.secret_label(relation, answer.SECRET_USER)) or relation.local_app()
    return kept.get("password") or _random()


def _random() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(32))


SERVICE = PostgreSQL()
