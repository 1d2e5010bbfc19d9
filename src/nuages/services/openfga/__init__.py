"""openfga-k8s, built in: a store and a token of its own for each relation, on a real OpenFGA."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Console, Context, Relation
from nuages.services import driver, passwords, unit
from nuages.services.openfga import answer, server
from nuages.services.openfga.answer import TOKEN, TOKEN_SECRET


class OpenFGA:
    """The application as the engine sees it."""

    name = "openfga-k8s"
    summary = "OpenFGA: a store and a token of its own for each relation"
    version = server.VERSION
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "Real OpenFGA on one unit, its data in SQLite; speaks what Charmhub's openfga-k8s speaks.",
        "containers": {server.CONTAINER: {}},
        "provides": {answer.ENDPOINT: {"interface": "openfga"}},
    }
    options: Mapping[str, Any] = {}
    actions: Mapping[str, Any] = {
        "rotate-password": {
            "description": (
                "Give a related application a new token; the one before serves for another minute. Only here: "
                "Charmhub's openfga-k8s has no such action."
            ),
            "params": passwords.PARAMS,
        },
    }
    programs = ("openfga",)
    volumes: Mapping[str, str] = {"data": server.DATA}
    aliases: tuple[str, ...] = ()

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        return server.image(programs, directory)

    async def hook(self, context: Context) -> None:
        """Run the server with the stores that the relations want, answer them, and say how things are."""
        if context.relation and context.relation.breaking and context.is_leader:
            passwords.forget(context, _label(context.relation))

        async def serve() -> tuple[str, str]:
            return unit.status(await _serve(context, frozenset()))

        await unit.hook(context, serve, leader_only=True)

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        chosen = passwords.chosen(context, answer.ENDPOINT, params.get("application"))
        await _serve(context, chosen)
        return {"changed": ", ".join(sorted(chosen))}

    def console(self, context: Context, relation: Relation) -> Console:
        """Return how to ask the relation's store."""
        kept, store = context.secret(_label(relation)), relation.local_app().get("store_id")
        if not (kept and store):
            raise driver.ServiceError(
                f"cannot connect to {context.application}: {relation.remote_application} has no store yet",
                fix="nuages status",
            )
        return server.console(store, kept[TOKEN])


def _label(relation: Relation) -> str:
    return driver.secret_label(relation, TOKEN_SECRET)


async def _serve(context: Context, rotate: frozenset[str]) -> str:
    """Make stores for all relations and answer them; return the first problem of a requirer, or "".

    The applications in `rotate` get new tokens.

    Raises:
        NotReady: the server does not answer yet.
    """
    problems: list[str] = []
    requests: list[tuple[Relation, str, passwords.Passwords]] = []
    for relation in context.relations(answer.ENDPOINT):
        remote = relation.remote_application
        try:
            store = answer.parse(remote, relation.remote_app())
        except driver.Refused as error:
            problems.append(str(error))
            continue
        if store:
            tokens = passwords.read(context, _label(relation), change=remote in rotate, field=TOKEN)
            requests.append((relation, store, tokens))
    patient = unit.patient(context, bool(requests))
    wanted = server.keys((store, tokens.all) for _, store, tokens in requests)
    ids = await server.run(context, wanted, patient=patient)
    if ids is None:
        raise unit.NotReady("cannot answer yet: OpenFGA is starting")
    for relation, store, tokens in requests:
        driver.give(context, relation, answer.answer(context.application, context.model, ids[store], tokens.present))
        passwords.keep(context, _label(relation), tokens)
    return problems[0] if problems else ""


SERVICE = OpenFGA()
