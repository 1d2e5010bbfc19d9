"""squid-forward-proxy, built in: a real forward proxy, which is also how a pod reaches the outside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Console, Context, Relation
from nuages.services import driver, passwords, unit
from nuages.services.squid import access, answer, server
from nuages.services.squid.answer import Place

_PORT, _HOSTNAME, _DOMAINS, _PRIVATE = "http-port", "hostname", "http-proxy-domains", "private-hosts"
_EVERYWHERE = (Place(answer.ANY, 80), Place(answer.ANY, 443))


class Squid:
    """The application as the engine sees it."""

    name = "squid-forward-proxy"
    summary = "Squid: the way to the internet for applications that are related to it"
    version = server.VERSION
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "Real Squid on one unit; speaks what Charmhub's squid-forward-proxy speaks.",
        "containers": {server.CONTAINER: {}},
        "provides": {answer.ENDPOINT: {"interface": "http_proxy"}},
    }
    options: Mapping[str, Any] = {
        _PORT: {"type": "int", "default": 3128, "description": "The port on which it takes requests."},
        _HOSTNAME: {
            "type": "string",
            "description": "The host name in the URLs given to applications; unset, its own name in the model.",
        },
        _DOMAINS: {
            "type": "string",
            "description": (
                "Where an application may go that names no hosts itself, as a Django charm: `host` (ports 80 and 443) "
                "or `host:port`, between commas. Unset, to every host of the internet on ports 80 and 443. In "
                "production http-proxy-configurator has this option."
            ),
        },
        _PRIVATE: {
            "type": "string",
            "description": (
                "Hosts of this machine or of private networks that may be reached, `host` or `host:port` between "
                "commas. All others are refused. Only here."
            ),
        },
    }
    actions: Mapping[str, Any] = {
        "rotate-password": {
            "description": (
                "Give the users of a related application new passwords; the old ones serve for another minute. "
                "Only here: Charmhub's squid-forward-proxy has no such action."
            ),
            "params": passwords.PARAMS,
        }
    }
    programs = ("squid",)
    volumes: Mapping[str, str] = {}
    aliases: tuple[str, ...] = ()

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        return server.image(programs, directory)

    async def hook(self, context: Context) -> None:
        """Open the way out, run Squid with the users that the relations want, answer them, and say how things are."""
        if context.relation and context.relation.breaking and context.is_leader:
            for identifier in answer.answered(context.relation.local_app()):
                passwords.forget(context, answer.label(context.relation.id, identifier))

        async def serve() -> tuple[str, str]:
            return unit.status(await _serve(context, frozenset()))

        await unit.hook(context, serve, leader_only=True)

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        chosen = passwords.chosen(context, answer.ENDPOINT, params.get("application"))
        await _serve(context, chosen)
        return {"changed": ", ".join(sorted(chosen))}

    def console(self, context: Context, relation: Relation) -> Console:
        """Return how a tool on the host uses the proxy as the relation's requirer."""
        for request in _requests(context, relation, _EVERYWHERE):
            kept = context.secret(request.label)
            if request.user and kept:
                return Console(f"http://{request.user}:{kept['password']}@{{address}}", _port(context))
        raise driver.ServiceError(f"cannot use the proxy as {relation.remote_application}: it has no user there yet")


async def _serve(context: Context, rotate: frozenset[str]) -> str:
    """Make users for all relations and answer them; return the first problem of a requirer, or "".

    The users of the applications in `rotate` get new passwords.

    Raises:
        Refused: an option cannot be.
        NotReady: Squid does not answer yet.
    """
    port, private = _port(context), _places(context, _PRIVATE)
    default = _places(context, _DOMAINS) or _EVERYWHERE
    host = str(context.config.get(_HOSTNAME) or f"{context.application}.{context.model}.svc.cluster.local")
    if answer.places([f"{host}:{port}"]) is None:
        raise driver.Refused(f"{_HOSTNAME} is {host!r}: set it to a bare host name, without scheme or port")
    relations = context.relations(answer.ENDPOINT)
    problems: list[str] = []
    asked: dict[int, tuple[answer.Request, ...]] = {}
    members: list[access.Member] = []
    for relation in relations:
        try:
            asked[relation.id] = _requests(context, relation, default)
        except driver.Refused as error:
            problems.append(str(error))
            continue
        change = relation.remote_application in rotate
        for request in asked[relation.id]:
            if request.status != answer.READY:
                problems.append(f"{relation.remote_application} asks for a proxy that is {request.status}")
                continue
            pair = passwords.read(context, request.label, change=change) if request.user else None
            members.append(access.Member(request, pair))
    await context.outward(
        server.OUTWARD,
        permitted=[f"{place.host}:{place.port}" for place in private],
        fix=f"nuages config {context.application} {_PRIVATE}={{target}}",
    )
    patient = unit.patient(context, bool(relations))
    ready = await server.run(context, access.users(members), access.rules(members, private), port=port, patient=patient)
    if not ready:
        raise unit.NotReady("cannot answer yet: Squid is starting")
    for relation in relations:
        uris: dict[str, str] = {}
        for member in members:
            request, pair = member.request, member.passwords
            if request.relation == relation.id and pair:
                passwords.keep(context, request.label, pair)
                content = {"username": request.user, "password": pair.present}
                uris[request.id] = context.set_secret(request.label, content, relation=relation.id)
        if relation.id in asked:
            withdrawn = set(answer.answered(relation.local_app())).difference(each.id for each in asked[relation.id])
            for identifier in withdrawn:
                passwords.forget(context, answer.label(relation.id, identifier))
            bag = answer.answer(asked[relation.id], f"http://{host}:{port}", uris)
            driver.give(context, relation, driver.Answer(bag))
    return problems[0] if problems else ""


def _requests(context: Context, relation: Relation, default: tuple[Place, ...]) -> tuple[answer.Request, ...]:
    bags = [relation.remote_unit(unit) for unit in relation.remote_units]
    addresses = [bag["private-address"] for bag in bags if bag.get("private-address")]
    return answer.parse(relation.id, relation.remote_application, relation.remote_app(), addresses, default)


def _port(context: Context) -> int:
    port = int(context.config.get(_PORT) or 3128)
    if not 0 < port < 65536 or port == server.OUTWARD:
        raise driver.Refused(f"{_PORT} is {port}: set it to a number from 1 to 65535 other than {server.OUTWARD}")
    return port


def _places(context: Context, option: str) -> tuple[Place, ...]:
    text = str(context.config.get(option) or "")
    found = answer.places([word.strip() for word in text.split(",") if word.strip()])
    if found is None:
        raise driver.Refused(f"{option} is {text!r}: set it to hosts between commas, host or host:port")
    return found


SERVICE = Squid()
