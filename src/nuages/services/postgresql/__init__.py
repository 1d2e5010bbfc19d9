"""postgresql-k8s, built in: a database and a user of its own for each relation, on a real PostgreSQL."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ops.pebble

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Console, Context, Relation
from nuages.services import driver, logins, passwords, tls, unit
from nuages.services.postgresql import answer, extensions, replication, roles, server

_OPERATOR_SECRET = "operator-password"  # noqa: S105  # a label
_REPLICATION_SECRET = "replication-password"  # noqa: S105  # a label
_EXTENSIONS = "extensions"
"""The key of the peer databag: what options have put into the databases, with blanks between."""
_START_TIMEOUT = 60.0  # seconds; a busy laptop makes a cluster in five


class PostgreSQL:
    """The application as the engine sees it."""

    name = "postgresql-k8s"
    summary = "PostgreSQL: a database and a user of its own for each relation"
    version = server.VERSION
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "Real PostgreSQL, with a streaming replica in each further unit.",
        "containers": {server.SERVICE: {}},
        "provides": {answer.ENDPOINT: {"interface": "postgresql_client"}},
        "requires": tls.METADATA,
        "peers": {replication.PEERS: {"interface": "postgresql_peers"}},
    }
    options: Mapping[str, Any] = extensions.OPTIONS
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
        "rotate-password": {
            "description": (
                "Give a related application a new user with a new password; the old one serves for another minute. "
                "Only here."
            ),
            "params": passwords.PARAMS,
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
            logins.forget(context, context.relation, answer.SECRET_USER)
            context.remove_secret(driver.secret_label(context.relation, answer.SECRET_TLS))
        if context.hook in ("stop", "remove") or context.leaving:
            await unit.leave(context)
            return
        try:
            ready, problem = await (_primary(context) if driver.serves(context) else _replica(context))
        except driver.NotReachable:
            context.set_status("waiting", "waiting for the container")
            return
        except driver.Refused as error:
            context.set_status("blocked", str(error))
            return
        if ready:
            context.set_status("blocked" if problem else "active", problem or server.NOTE)
        else:
            context.set_status("waiting", problem or driver.WAITING)

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        if name == "get-primary":
            return {"primary": f"{context.application}/0"}
        if name == "rotate-password":
            chosen = passwords.chosen(context, answer.ENDPOINT, params.get("application"))
            await _serve(context, rotate=chosen)
            return {"changed": ", ".join(sorted(chosen))}
        user = str(params.get("username") or roles.OPERATOR)
        if user != roles.OPERATOR:
            raise driver.ServiceError(f"cannot find the user {user!r}: only {roles.OPERATOR} exists")
        if name == "get-password":
            kept = context.secret(_OPERATOR_SECRET)
            if kept is None:
                raise driver.ServiceError("cannot show the password: the server has not started yet")
            return {"password": kept["password"]}
        password = str(params.get("password") or driver.new_password())
        await _serve(context, operator=password)
        return {"password": password}

    def console(self, context: Context, relation: Relation) -> Console:
        """Return how to get into the relation's database as its user."""
        bag = relation.local_app()
        content = context.secret(driver.secret_label(relation, answer.SECRET_USER)) or bag
        if not (bag.get("database") and content.get("password")):
            raise driver.no_console(relation)
        user, password, database = content["username"], content["password"], bag["database"]
        return Console(
            url=f"postgresql://{user}:{password}@{{address}}/{database}",
            port=server.PORT,
            argv=("psql",),
            environment={"PGUSER": user, "PGPASSWORD": password, "PGDATABASE": database},
        )


async def _primary(context: Context) -> tuple[bool, str]:
    """Have the primary run and serve; return whether it takes connections, and what is wrong."""
    asked = any(relation.remote_app().get("database") for relation in context.relations(answer.ENDPOINT))
    secured = await _tls(context)
    if not await _start(context, server.workload(secured=context.address if secured else ""), asked=asked):
        return False, ""
    return True, await _serve(context) if context.is_leader else ""


async def _tls(context: Context) -> tls.Tls | None:
    """Return the certificate of this unit, if there is one."""
    services = [context.application, *(f"{context.application}-{role}" for role in ("primary", "replicas"))]
    names = [f"{name}.{context.model}.svc.cluster.local" for name in services]
    return await tls.certificate(context, server.TLS, [*names, context.fqdn])


async def _replica(context: Context) -> tuple[bool, str]:
    """Have this replica run, by what the primary says in the peer databag; return whether it follows, and why not."""
    said = _said(context)
    token = replication.tokens(said.get(replication.SLOTS, "")).get(replication.slot(context.unit))
    kept = context.secret(_REPLICATION_SECRET)
    if token is None or kept is None:
        return False, "waiting for the primary"
    primary = f"{context.application}-0.{context.application}-endpoints"

    def write(client: ops.pebble.Client) -> None:
        server.write_passfile(client, primary, replication.USER, kept["password"])

    await driver.with_pebble(context, write)
    secured = await _tls(context)
    follow = server.Primary(primary, replication.slot(context.unit), replication.USER, token)
    workload = server.workload(follow, secured=context.address if secured else "")
    if not await _start(context, workload, asked=True):
        return False, "copying the primary"
    follows = await driver.with_pebble(context, server.follows)
    return follows, "" if follows else "waiting for the primary's changes"


async def _start(context: Context, workload: driver.Workload, *, asked: bool) -> bool:
    """Have the server run and return whether it takes connections; wait for that where someone needs it."""
    timeout = _START_TIMEOUT if unit.patient(context, asked) else 0

    def work(client: ops.pebble.Client) -> bool:
        change = driver.converge(client, workload)
        return driver.await_server(
            client, server.READY, change, server="PostgreSQL", application=context.application, timeout=timeout
        )

    return await driver.with_pebble(context, work)


async def _serve(context: Context, *, operator: str = "", rotate: frozenset[str] = frozenset()) -> str:
    """Make users and databases for all relations and answer them; return the first problem of a requirer, or "".

    `operator` is the administrator's new password; without one it keeps the old, which the first time is made here.
    The applications in `rotate` get new users.
    """
    problems: list[str] = []
    requests: list[tuple[Relation, answer.Request, tuple[logins.Login, ...]]] = []
    relations = context.relations(answer.ENDPOINT)
    for relation in relations:
        remote = relation.remote_application
        try:
            request = answer.parse(relation.id, remote, relation.remote_app(), relation.local_app())
        except driver.Refused as error:
            problems.append(str(error))
            continue
        if request:
            names = (roles.user_of(relation.id), roles.other_user(relation.id))
            found = logins.read(context, relation, answer.SECRET_USER, names, change=remote in rotate)
            requests.append((relation, request, found))
    kept = context.secret(_OPERATOR_SECRET)
    operator = operator or (kept["password"] if kept else driver.new_password())
    wanted = [
        roles.User(roles.OPERATOR, roles.verifier(roles.OPERATOR, operator), attributes=frozenset(roles.ATTRIBUTES)),
        *(
            roles.User(login.name, roles.verifier(login.name, login.password), request.database, request.attributes)
            for _, request, some in requests
            for login in some
        ),
    ]

    def work(client: ops.pebble.Client) -> list[str]:
        existing = roles.Existing.parse(server.psql(client, roles.QUERY))
        script = roles.script(wanted, existing)
        if script:
            server.psql(client, script)
        failed: list[str] = []
        for removal in roles.removals(wanted, existing, [relation.id for relation in relations]):
            try:
                server.psql(client, removal)
            except driver.ServiceError as error:
                failed.append(f"{error}: a removed application's user stays without a login, and is tried again")
        return failed

    problems += await driver.with_pebble(context, work)
    context.set_secret(_OPERATOR_SECRET, {"password": operator})
    problems += await _extend(context, {request.database for _, request, _ in requests})
    await _replicate(context)
    secured = await _tls(context)
    authority = secured.authority if secured else ""
    where = answer.Server(context.application, context.model, server.PORT, server.VERSION, authority)
    for relation, request, some in requests:
        driver.give(context, relation, answer.answer(request, some[0].name, some[0].password, where))
        logins.keep(context, relation, answer.SECRET_USER, some)
    return problems[0] if problems else ""


async def _extend(context: Context, databases: set[str]) -> list[str]:
    """Put the extensions of the options into the databases; return what could not be done."""
    before = frozenset(_said(context).get(_EXTENSIONS, "").split())
    enabled = extensions.wanted(context.config)
    script = extensions.script(databases, enabled, before)
    if not script:
        return []
    try:
        await driver.with_pebble(context, lambda client: server.psql(client, script))
    except driver.NotReachable:
        raise
    except driver.ServiceError as error:
        _say(context, {_EXTENSIONS: " ".join(sorted(before | enabled))})
        return [str(error)]
    _say(context, {_EXTENSIONS: " ".join(sorted(enabled))})
    return []


async def _replicate(context: Context) -> None:
    """Make a slot for each other unit, and say it to them."""
    kept = context.secret(_REPLICATION_SECRET)
    said = _said(context).get(replication.SLOTS, "")
    units = [other for peers in context.relations(replication.PEERS) for other in peers.remote_units]
    if not (units or said):
        return
    password = kept["password"] if kept else driver.new_password()
    verifier = roles.verifier(replication.USER, password)

    def work(client: ops.pebble.Client) -> dict[str, str]:
        existing = replication.Existing.parse(server.psql(client, replication.QUERY))
        script, told = replication.plan(
            units, existing, replication.tokens(said), verifier, lambda: secrets.token_hex(8)
        )
        if script:
            server.psql(client, script)
        return told

    told = await driver.with_pebble(context, work)
    context.set_secret(_REPLICATION_SECRET, {"password": password})
    _say(context, {replication.SLOTS: json.dumps(told, sort_keys=True) if told else ""})


def _said(context: Context) -> Mapping[str, str]:
    """Return the application's peer databag."""
    found = context.relations(replication.PEERS)
    return found[0].local_app() if found else {}


def _say(context: Context, data: Mapping[str, str]) -> None:
    """Write into the application's peer databag what is not there yet."""
    for peers in context.relations(replication.PEERS):
        said = peers.local_app()
        changed = {key: value for key, value in data.items() if said.get(key, "") != value}
        if changed:
            peers.set_app(changed)


SERVICE = PostgreSQL()
