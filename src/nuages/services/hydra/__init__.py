"""hydra, built in: an OpenID provider for development, with test users and a client for each relation."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Console, Context, Relation
from nuages.services import driver, passwords, unit
from nuages.services.hydra import answer, server
from nuages.services.identity import pod, users

_ALGORITHMS = ("RS256", "RS512", "ES256", "ES512", "EdDSA")


class Hydra:
    """The application as the engine sees it."""

    name = "hydra"
    summary = "An OpenID provider for development, with test users and a login page"
    version = server.VERSION
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "A real OpenID provider on one unit; speaks what Charmhub's hydra speaks.",
        "containers": {server.PROGRAM.container: {}},
        "provides": {answer.ENDPOINT: {"interface": "oauth"}},
    }
    options: Mapping[str, Any] = {
        "jwt_access_tokens": {
            "type": "boolean",
            "default": True,
            "description": "Access tokens are signed JWTs that others can verify; otherwise they mean nothing outside.",
        },
    }
    actions: Mapping[str, Any] = {
        **users.ACTIONS,
        "list-oauth-clients": {"description": "List the clients: ID to the application it is for."},
        "get-oauth-client-info": {
            "description": "Show what a client is registered with; its secret is not shown.",
            "params": {"client-id": {"type": "string", "description": "The client's ID."}},
            "required": ["client-id"],
        },
        "rotate-key": {
            "description": "Sign tokens with a new key; those signed before stay good.",
            "params": {
                "algorithm": {
                    "type": "string",
                    "default": _ALGORITHMS[0],
                    "description": f"{', '.join(_ALGORITHMS[:-1])} or {_ALGORITHMS[-1]}.",
                }
            },
        },
        "rotate-password": {
            "description": (
                "Give the client of a related application a new secret; the old one serves for another minute. "
                "Only here."
            ),
            "params": passwords.PARAMS,
        },
    }
    programs = (server.PROGRAM.libraries,)
    volumes: Mapping[str, str] = {"provider": server.DATA}
    aliases = pod.ALIASES

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        return pod.image(server.PROGRAM, programs, directory)

    async def hook(self, context: Context) -> None:
        """Run the provider with a client for each relation; answer; say how things are."""
        if context.relation and context.relation.breaking and context.is_leader:
            passwords.forget(context, driver.secret_label(context.relation, answer.SECRET_ID))

        async def serve() -> tuple[str, str]:
            return await _serve(context, frozenset())

        await unit.hook(context, serve)

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        if name in users.ACTIONS:
            results = users.act(context, name, params)
            await _serve(context, frozenset())
            if name == "show-users":
                results["url"] = await pod.address(context, server.PROGRAM)
            return results
        if name == "rotate-key":
            algorithm = str(params.get("algorithm") or _ALGORITHMS[0])
            if algorithm not in _ALGORITHMS:
                raise driver.ServiceError(
                    f"cannot rotate the key: algorithm must be one of {', '.join(_ALGORITHMS)}, not {algorithm!r}"
                )
            return {"new-key-id": await server.rotate_key(context, algorithm)}
        if name == "rotate-password":
            chosen = passwords.chosen(context, answer.ENDPOINT, params.get("application"))
            await _serve(context, chosen)
            return {"changed": ", ".join(sorted(chosen))}
        clients = {
            _client_id(context, relation): (relation, client)
            for relation, client in _clients(context)[0]
            if relation.local_app().get("client_id")
        }
        if name == "list-oauth-clients":
            return {identifier: relation.remote_application for identifier, (relation, _) in clients.items()}
        wanted = str(params["client-id"])
        if wanted not in clients:
            known = ", ".join(clients) or "none"
            raise driver.ServiceError(f"cannot show the client {wanted!r}: the clients are {known}")
        relation, client = clients[wanted]
        return {
            "client-id": wanted,
            "name": relation.remote_application,
            "redirect-uris": ", ".join(client.redirect_uris),
            "scope": client.scope,
            "grant-types": ", ".join(client.grant_types),
            "audience": ", ".join(client.audience),
            "token-endpoint-auth-method": client.auth_method,
        }

    def console(self, context: Context, relation: Relation) -> Console:
        """Refuse: there is nothing to type into."""
        raise driver.ServiceError(
            f"cannot connect to {context.application}: people sign in there by a browser",
            fix=f"nuages run {context.unit} show-users",
        )


def _clients(context: Context) -> tuple[list[tuple[Relation, answer.Client]], str]:
    """Return the relations that describe a client, and what is wrong with one that describes none, or ""."""
    found: list[tuple[Relation, answer.Client]] = []
    problems: list[str] = []
    for relation in context.relations(answer.ENDPOINT):
        try:
            client = answer.parse(relation.remote_application, relation.remote_app())
        except driver.Refused as error:
            problems.append(str(error))
            continue
        if client:
            found.append((relation, client))
    return found, problems[0] if problems else ""


def _client_id(context: Context, relation: Relation) -> str:
    """Return the client's ID of a relation, always the same: what was once told must not change."""
    return str(uuid.uuid5(uuid.UUID(context.model_uuid), f"{context.application}:{relation.endpoint}:{relation.id}"))


async def _serve(context: Context, rotate: frozenset[str]) -> tuple[str, str]:
    """Register a client for each relation, answer all, and return the unit's status.

    The clients of the applications in `rotate` get new secrets.
    """
    jwt = bool(context.config.get("jwt_access_tokens", True))
    clients, problem = _clients(context)
    pairs = {
        relation.id: passwords.read(
            context,
            driver.secret_label(relation, answer.SECRET_ID),
            change=relation.remote_application in rotate,
            field=answer.SECRET,
        )
        for relation, _ in clients
    }
    registered = {
        _client_id(context, relation): client.document(
            relation.remote_application,
            [hashlib.sha256(word.encode()).hexdigest() for word in pairs[relation.id].all],
        )
        for relation, client in clients
    }
    relations = context.relations(answer.ENDPOINT)
    patient = unit.patient(context, bool(relations))
    if not await server.run(context, registered, jwt=jwt, patient=patient):
        return "waiting", driver.WAITING
    base = await pod.address(context, server.PROGRAM)
    if context.is_leader:
        for relation in relations:
            pair = pairs.get(relation.id)
            known = {"client_id": _client_id(context, relation), "secret": pair.present} if pair else {}
            if pair:
                passwords.keep(context, driver.secret_label(relation, answer.SECRET_ID), pair)
            driver.give(context, relation, answer.answer(base, server.internal(context), jwt=jwt, **known))
    return ("blocked", problem) if problem else ("active", f"people sign in at {base}")


SERVICE = Hydra()
