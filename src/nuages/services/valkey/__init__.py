"""valkey, built in: a user of its own for each request, on a real Valkey and Sentinel."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Context
from nuages.errors import NuagesError
from nuages.services import driver
from nuages.services.valkey import answer, server, users

_LAYOUT = server.Layout("valkey", "/var/lib/valkey", sentinel=True)
_SYSTEM_OPTION = "system-users"
_SYSTEM_SECRET = "internal-users"  # noqa: S105  # a label
_GRACE = 60.0
"""Seconds for which a changed password still serves beside the new one: until every unit of the requirer has it."""


class Valkey:
    """The application as the engine sees it."""

    name = "valkey"
    summary = "Valkey: a user of its own for each relation"
    version = server.VERSION
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "Real Valkey on one unit, watched by a real Sentinel; speaks what Charmhub's valkey speaks.",
        "containers": {_LAYOUT.container: {}},
        "provides": {answer.ENDPOINT: {"interface": "valkey_client"}},
    }
    options: Mapping[str, Any] = {
        _SYSTEM_OPTION: {
            "type": "secret",
            "description": (
                "A secret with the passwords of the server's own users, `charmed-operator` (the administrator) and "
                "`charmed-stats`; the other names of Charmhub's valkey are accepted and not needed here. Random ones "
                "where it names none."
            ),
        }
    }
    actions: Mapping[str, Any] = {
        "rotate-password": {
            "description": (
                "Give the users of a related application new passwords; the old ones serve for another minute. "
                "Only here: Charmhub's valkey has no such action."
            ),
            "params": {"application": {"type": "string", "description": "The related application; all when left out."}},
        }
    }
    programs = ("valkey",)
    volumes: Mapping[str, str] = {"data": _LAYOUT.data}
    aliases = ("{application}-primary", "{application}-replicas")

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        return server.image(programs, directory)

    async def hook(self, context: Context) -> None:
        """Run the server with the users that the relations want, answer them, and say how things are."""
        if context.relation and context.relation.breaking and context.is_leader:
            for request in answer.answered(context.relation.local_app(), context.relation.id):
                for group in (*answer.GROUPS, _BEFORE):
                    context.remove_secret(request.label(group))
        if not driver.serves(context):
            context.set_status("blocked", driver.one_unit_only(context))
            return
        if context.hook in ("stop", "remove") or context.leaving:
            await server.leave(context, _LAYOUT)
            return
        if not context.is_leader:
            context.set_status("waiting", "waiting to lead")
            return
        try:
            problem = await _serve(context, frozenset())
        except driver.NotReachable:
            context.set_status("waiting", "waiting for the container")
        except _NotReady:
            context.set_status("waiting", driver.WAITING)
        else:
            context.set_status("blocked" if problem else "active", problem)

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        wanted = params.get("application")
        related = {relation.remote_application for relation in context.relations(answer.ENDPOINT)}
        if wanted is not None and wanted not in related:
            known = ", ".join(sorted(related)) or "none"
            raise driver.ServiceError(f"cannot change the password of {wanted!r}: related applications are {known}")
        chosen = frozenset(related if wanted is None else {str(wanted)})
        await _serve(context, chosen)
        return {"changed": ", ".join(sorted(chosen))}


class _NotReady(driver.ServiceError):
    """The server does not answer yet, and nobody waits for it."""


_BEFORE = "before"
"""The group under which the password before the present one is kept, which nobody is granted."""


async def _serve(context: Context, rotate: frozenset[str]) -> str:
    """Make users for all relations and answer them; return the first problem, or "".

    The users of the applications in `rotate` get new passwords.

    Raises:
        _NotReady: the server does not answer yet.
    """
    problems: list[str] = []
    passwords: dict[str, str] = {}
    relations = context.relations(answer.ENDPOINT)
    wanted: dict[int, tuple[answer.Request, ...]] = {}
    system = _system(context, problems)
    members = [users.system(name, system[name]) for name in users.MADE]
    watchers: list[users.User] = []
    befores: dict[str, Mapping[str, str]] = {}
    for relation in relations:
        remote = relation.remote_application
        try:
            wanted[relation.id] = answer.parse(relation.id, remote, relation.remote_app(), relation.local_app())
        except driver.Refused as error:
            problems.append(str(error))
            continue
        for request in wanted[relation.id]:
            present, before = _passwords(context, request, change=remote in rotate)
            passwords[request.user] = present
            befores[request.label(_BEFORE)] = before
            both = (present, before["password"]) if before else (present,)
            members.append(users.client(request.user, both, request.resource))
            watchers.append(users.User(request.user, both, users.SENTINEL_CLIENT))
    if not await server.run(context, _LAYOUT, members, watchers, patient=server.patient(context)):
        raise _NotReady("cannot answer yet: Valkey is starting")
    context.set_secret(_SYSTEM_SECRET, system)
    where = answer.Server(context.application)
    for label, content in befores.items():
        if content:
            context.set_secret(label, content)
        else:
            context.remove_secret(label)
    for relation in relations:
        uris: dict[str, dict[str, str]] = {}
        for request in wanted.get(relation.id, ()):
            uris[request.user] = {
                group: context.set_secret(request.label(group), content, relation=relation.id)
                for group, content in answer.secrets(request, passwords[request.user]).items()
            }
        if relation.id in wanted:
            driver.give(context, relation, driver.Answer(answer.answer(wanted[relation.id], uris, where)))
    return problems[0] if problems else ""


def _passwords(context: Context, request: answer.Request, *, change: bool) -> tuple[str, Mapping[str, str]]:
    """Return a user's password, and while it serves the one before with the time at which it ends, else nothing."""
    kept = context.secret(request.label(answer.USER))
    if kept is None:
        return driver.new_password(), {}
    if change:
        return driver.new_password(), {"password": kept["password"], "until": str(time.time() + _GRACE)}
    before = context.secret(request.label(_BEFORE)) or {}
    return kept["password"], before if before and float(before["until"]) > time.time() else {}


def _system(context: Context, problems: list[str]) -> dict[str, str]:
    """Return the passwords of the server's own users: the operator's secret's, else the kept ones, else new ones."""
    kept = context.secret(_SYSTEM_SECRET) or {}
    given: Mapping[str, str] = {}
    uri = str(context.config.get(_SYSTEM_OPTION) or "")
    if uri:
        try:
            given = context.remote_secret(uri)
        except NuagesError:
            problems.append(
                f"{_SYSTEM_OPTION} names a secret that cannot be read: grant-secret {uri} {context.application}"
            )
    unknown = sorted(set(given).difference(users.SYSTEM))
    if unknown:
        problems.append(f"{_SYSTEM_OPTION} has a user {unknown[0]!r}: there are {', '.join(users.SYSTEM)}")
        given = {}
    return {name: given.get(name) or kept.get(name) or driver.new_password() for name in users.MADE}


SERVICE = Valkey()
