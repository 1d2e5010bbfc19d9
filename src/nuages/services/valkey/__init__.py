"""valkey, built in: a user of its own for each request, on a real Valkey and Sentinel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Console, Context, Relation
from nuages.errors import NuagesError
from nuages.services import driver, passwords, unit
from nuages.services.valkey import answer, server, users

_LAYOUT = server.Layout("valkey", "/var/lib/valkey", sentinel=True)
_SYSTEM_OPTION = "system-users"
_SYSTEM_SECRET = "internal-users"  # noqa: S105  # a label


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
            "params": passwords.PARAMS,
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
                passwords.forget(context, request.label(answer.USER))
                context.remove_secret(request.label(answer.TLS))

        async def serve() -> tuple[str, str]:
            return unit.status(await _serve(context, frozenset()))

        await unit.hook(context, serve, leader_only=True)

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        chosen = passwords.chosen(context, answer.ENDPOINT, params.get("application"))
        await _serve(context, chosen)
        return {"changed": ", ".join(sorted(chosen))}

    def console(self, context: Context, relation: Relation) -> Console:
        """Return how to get at the relation's keys as its first user."""
        for request in answer.answered(relation.local_app(), relation.id):
            content = context.secret(request.label(answer.USER))
            if content:
                return server.console(content["username"], content["password"])
        raise driver.no_console(relation)


async def _serve(context: Context, rotate: frozenset[str]) -> str:
    """Make users for all relations and answer them; return the first problem, or "".

    The users of the applications in `rotate` get new passwords.

    Raises:
        NotReady: the server does not answer yet.
    """
    problems: list[str] = []
    words: dict[str, passwords.Passwords] = {}
    relations = context.relations(answer.ENDPOINT)
    wanted: dict[int, tuple[answer.Request, ...]] = {}
    system = _system(context, problems)
    members = [users.system(name, system[name]) for name in users.MADE]
    watchers: list[users.User] = []
    for relation in relations:
        remote = relation.remote_application
        try:
            wanted[relation.id] = answer.parse(relation.id, remote, relation.remote_app(), relation.local_app())
        except driver.Refused as error:
            problems.append(str(error))
            continue
        for request in wanted[relation.id]:
            label = request.label(answer.USER)
            words[label] = passwords.read(context, label, change=remote in rotate)
            members.append(users.client(request.user, words[label].all, request.resource))
            watchers.append(users.User(request.user, words[label].all, users.SENTINEL_CLIENT))
    if not await server.run(
        context, _LAYOUT, members, watchers, patient=unit.patient(context, bool(context.relations()))
    ):
        raise unit.NotReady("cannot answer yet: Valkey is starting")
    context.set_secret(_SYSTEM_SECRET, system)
    where = answer.Server(context.application)
    for label, pair in words.items():
        passwords.keep(context, label, pair)
    for relation in relations:
        uris: dict[str, dict[str, str]] = {}
        for request in wanted.get(relation.id, ()):
            uris[request.user] = {
                group: context.set_secret(request.label(group), content, relation=relation.id)
                for group, content in answer.secrets(request, words[request.label(answer.USER)].present).items()
            }
        if relation.id in wanted:
            driver.give(context, relation, driver.Answer(answer.answer(wanted[relation.id], uris, where)))
    return problems[0] if problems else ""


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
