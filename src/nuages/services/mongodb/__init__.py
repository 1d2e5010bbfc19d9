"""mongodb-k8s, built in: a database and a user of its own for each relation, on FerretDB."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Console, Context, Relation
from nuages.services import driver, logins, passwords, unit
from nuages.services.mongodb import answer, server
from nuages.services.mongodb.answer import SECRET_USER

_OPERATOR = "operator"
_OPERATOR_SECRET = "operator-password"  # noqa: S105  # a label


class MongoDB:
    """The application as the engine sees it."""

    name = "mongodb-k8s"
    summary = "MongoDB's protocol, by FerretDB: a database and a user of its own for each relation"
    version = server.VERSION
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "FerretDB on one unit; speaks what Charmhub's mongodb-k8s speaks.",
        "containers": {server.CONTAINER: {}},
        "provides": {answer.ENDPOINT: {"interface": "mongodb_client"}},
    }
    options: Mapping[str, Any] = {}
    actions: Mapping[str, Any] = {
        "get-primary": {"description": "Name the unit that takes writes."},
        "get-password": {
            "description": "Show the password of the administrator's user.",
            "params": {"username": {"type": "string", "description": "Only `operator` exists.", "default": _OPERATOR}},
        },
        "set-password": {
            "description": "Change the password of the administrator's user.",
            "params": {
                "username": {"type": "string", "description": "Only `operator` exists.", "default": _OPERATOR},
                "password": {"type": "string", "description": "The new password; a random one when left out."},
            },
        },
        "rotate-password": {
            "description": (
                "Give a related application a new password, and with it another user; the one before serves for "
                "another minute. Only here: Charmhub's mongodb-k8s has no such action."
            ),
            "params": passwords.PARAMS,
        },
    }
    programs = ("ferretdb", "pymongo")
    volumes: Mapping[str, str] = {"mongodb": server.DATA}
    aliases: tuple[str, ...] = ()

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        return server.image(programs, directory)

    async def hook(self, context: Context) -> None:
        """Run the server with the users that the relations want, answer them, and say how things are."""
        if context.relation and context.relation.breaking and context.is_leader:
            logins.forget(context, context.relation, SECRET_USER)

        async def serve() -> tuple[str, str]:
            return unit.status(await _serve(context), server.NOTE)

        await unit.hook(context, serve, leader_only=True)

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        if name == "get-primary":
            return {"primary": f"{context.application}/0"}
        if name == "rotate-password":
            chosen = passwords.chosen(context, answer.ENDPOINT, params.get("application"))
            await _serve(context, rotate=chosen)
            return {"changed": ", ".join(sorted(chosen))}
        user = str(params.get("username") or _OPERATOR)
        if user != _OPERATOR:
            raise driver.ServiceError(f"cannot find the user {user!r}: only {_OPERATOR} exists")
        if name == "get-password":
            kept = context.secret(_OPERATOR_SECRET)
            if kept is None:
                raise driver.ServiceError("cannot show the password: the server has not started yet")
            return {"password": kept["password"]}
        password = str(params.get("password") or driver.new_password())
        await _serve(context, operator=password)
        return {"password": password}

    def console(self, context: Context, relation: Relation) -> Console:
        """Return how to get into the database as the relation's requirer."""
        login = logins.read(context, relation, SECRET_USER, answer.users(relation.id))[0]
        database = relation.local_app().get("database")
        if not database:
            raise driver.ServiceError(
                f"cannot connect to {context.application}: {relation.remote_application} has no database yet",
                fix="nuages status",
            )
        return server.console(login.name, login.password, database)


async def _serve(context: Context, *, operator: str = "", rotate: frozenset[str] = frozenset()) -> str:
    """Make users for all relations and answer them; return the first problem of a requirer, or "".

    `operator` is the administrator's new password; without one it keeps the old, which the first time is made here.
    The applications in `rotate` get new users.

    Raises:
        NotReady: the server does not answer yet.
    """
    problems: list[str] = []
    requests: list[tuple[Relation, answer.Request, tuple[logins.Login, ...]]] = []
    for relation in context.relations(answer.ENDPOINT):
        remote = relation.remote_application
        try:
            request = answer.parse(relation.id, remote, relation.remote_app(), relation.local_app())
        except driver.Refused as error:
            problems.append(str(error))
            continue
        if request:
            some = logins.read(context, relation, SECRET_USER, answer.users(relation.id), change=remote in rotate)
            requests.append((relation, request, some))
    kept = context.secret(_OPERATOR_SECRET)
    operator = operator or (kept["password"] if kept else driver.new_password())
    users = [server.User(_OPERATOR, operator)]
    users += [server.User(one.name, one.password, request.database) for _, request, some in requests for one in some]
    patient = unit.patient(context, bool(requests))
    if not await server.run(context, users, patient=patient):
        raise unit.NotReady("cannot answer yet: FerretDB is starting")
    context.set_secret(_OPERATOR_SECRET, {"password": operator})
    for relation, request, some in requests:
        driver.give(context, relation, answer.answer(request, some[0].name, some[0].password, context.application))
        logins.keep(context, relation, SECRET_USER, some)
    return problems[0] if problems else ""


SERVICE = MongoDB()
