"""rabbitmq-k8s, built in: a user of its own for each relation, on a real RabbitMQ."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Console, Context, Relation
from nuages.services import driver, passwords, unit
from nuages.services.rabbitmq import answer, server, users
from nuages.services.rabbitmq.users import User

_OPERATOR = "operator-password"  # a label
_DISK = "disk-free-limit-bytes"
_AUTO = 50_000_000
"""Bytes; RabbitMQ's own default. Charmhub's charm takes a tenth of the volume, which is here the user's whole disk."""
_SUFFIXES = {
    "": 1,
    **{letter: 1000**power for power, letter in enumerate("KMGTP", 1)},
    **{f"{letter}I": 1024**power for power, letter in enumerate("KMGTP", 1)},
}


class RabbitMQ:
    """The application as the engine sees it."""

    name = "rabbitmq-k8s"
    summary = "RabbitMQ: a user of its own for each relation, in the virtual host it asks for"
    version = server.VERSION
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "Real RabbitMQ on one unit; speaks what Charmhub's rabbitmq-k8s speaks.",
        "containers": {server.CONTAINER: {}},
        "provides": {answer.ENDPOINT: {"interface": "rabbitmq"}},
    }
    options: Mapping[str, Any] = {
        _DISK: {
            "type": "string",
            "default": "auto",
            "description": (
                "Free space on the disk below which no more messages are taken: bytes, or a number with a suffix as in "
                "`500M` or `5Gi`. `auto` is 50 MB."
            ),
        }
    }
    actions: Mapping[str, Any] = {
        "get-operator-info": {"description": "Show the name and the password of the administrator."},
        "recreate-operator-user": {"description": "Make the administrator again, with the password it had."},
        "get-service-account": {
            "description": "Make a user for something that is not related, or show the one made before.",
            "params": {
                "username": {"type": "string", "description": "The user's name."},
                "vhost": {"type": "string", "description": "The virtual host it may use; made when missing."},
            },
            "required": ["username", "vhost"],
        },
        "show-management": {
            "description": (
                "Open the management page on a port of this machine's loopback, and show its address and its login. "
                "Only here: in production the page is behind an ingress."
            )
        },
        "rotate-password": {
            "description": (
                "Give the users of a related application new passwords; the old ones serve for another minute. "
                "Only here: Charmhub's rabbitmq-k8s has no such action."
            ),
            "params": passwords.PARAMS,
        },
    }
    programs = ("rabbitmq", "pika")
    volumes: Mapping[str, str] = {"rabbitmq-data": server.DATA}
    aliases = ("{application}-endpoints",)

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        return server.image(programs, directory)

    async def hook(self, context: Context) -> None:
        """Run the broker with the users that the relations want, answer them, and say how things are."""
        if context.relation and context.relation.breaking and context.is_leader:
            passwords.forget(context, _label(context.relation))

        async def serve() -> tuple[str, str]:
            return unit.status(await _serve(context, frozenset()))

        await unit.hook(context, serve, leader_only=True)

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        if name == "rotate-password":
            chosen = passwords.chosen(context, answer.ENDPOINT, params.get("application"))
            await _serve(context, chosen)
            return {"changed": ", ".join(sorted(chosen))}
        if name == "get-service-account":
            return await _account(context, str(params["username"]), str(params["vhost"]))
        kept = context.secret(_OPERATOR)
        if kept is None:
            raise driver.ServiceError("cannot show the administrator: the broker has not started yet")
        if name == "recreate-operator-user":
            await _serve(context, frozenset())
            return {"operator-user": answer.OPERATOR}
        if name == "get-operator-info":
            return {"operator-user": answer.OPERATOR, "operator-password": kept["password"]}
        await driver.with_pebble(context, server.open_management)
        port = await context.publish("management", server.MANAGEMENT, preferred=server.MANAGEMENT)
        return {"url": f"http://localhost:{port}/", "user": answer.OPERATOR, "password": kept["password"]}

    def console(self, context: Context, relation: Relation) -> Console:
        """Return how to get into the broker as the relation's requirer."""
        kept, bag = context.secret(_label(relation)), relation.remote_app()
        if not (kept and relation.local_app()):
            raise driver.no_console(relation)
        return server.console(bag.get("username", ""), kept["password"], bag.get("vhost", ""))


async def _serve(context: Context, rotate: frozenset[str]) -> str:
    """Make users for all relations and answer them; return the first problem of a requirer, or "".

    The users of the applications in `rotate` get new passwords.

    Raises:
        Refused: an option cannot be.
        NotReady: the broker does not answer yet.
    """
    disk = disk_limit(str(context.config.get(_DISK) or "auto"))
    relations = context.relations(answer.ENDPOINT)
    problems: list[str] = []
    taken: dict[str, str] = {}
    asked: list[tuple[Relation, answer.Request, passwords.Passwords]] = []
    for relation in relations:
        remote = relation.remote_application
        try:
            request = answer.parse(relation.id, remote, relation.remote_app(), taken)
        except driver.Refused as error:
            problems.append(str(error))
            continue
        if request and context.secret(_account_label(request.user)):
            problems.append(f"{remote} asks for the user {request.user}, for whom get-service-account made an account")
        elif request:
            taken[request.user] = remote
            asked.append((relation, request, passwords.read(context, _label(relation), change=remote in rotate)))
    kept = context.secret(_OPERATOR)
    operator = kept["password"] if kept else driver.new_password()
    wanted = [
        User(answer.OPERATOR, operator, ("/",), users.ADMINISTRATOR),
        *(User(request.user, pair.present, (request.vhost,), request.tag) for _, request, pair in asked),
    ]
    before = [(request.user, one.password, one.until) for _, request, pair in asked for one in pair.earlier]
    patient = unit.patient(context, bool(relations))
    if not await server.run(context, wanted, before, disk=disk, patient=patient):
        raise unit.NotReady("cannot answer yet: RabbitMQ is starting")
    context.set_secret(_OPERATOR, {"password": operator})
    for relation, _, pair in asked:
        context.set_secret(_label(relation), {"password": pair.present})
        passwords.keep(context, _label(relation), pair)
        driver.give(context, relation, answer.answer(context.application, context.model, pair.present))
    return problems[0] if problems else ""


async def _account(context: Context, user: str, vhost: str) -> Mapping[str, Any]:
    """Make a user beside the relations', and say how to connect, in Charmhub's words.

    Raises:
        ServiceError: the names cannot be, or the user is a relation's.
    """
    taken = {
        relation.remote_app().get("username", ""): relation.remote_application
        for relation in context.relations(answer.ENDPOINT)
    }
    if answer.parse(0, "the action", {"username": user, "vhost": vhost}, taken) is None:
        raise driver.ServiceError("cannot make an account: username and vhost are empty")
    label = _account_label(user)
    kept = context.secret(label)
    account = User(user, kept["password"] if kept else driver.new_password(), (vhost,), "account")

    def work(client: Any) -> None:
        server.add(client, account)

    await driver.with_pebble(context, work)
    context.set_secret(label, {"password": account.password})
    where = f"{context.address}:{server.PORT}"
    return {
        "username": user,
        "password": account.password,
        "vhost": vhost,
        "ingress-address": context.address,
        "port": str(server.PORT),
        "url": f"rabbit://{user}:{account.password}@{where}/{vhost}",
    }


def disk_limit(text: str) -> int:
    """Return bytes of what `disk-free-limit-bytes` says: `auto`, a number, or one with a suffix as in 500M, 5Gi, 5TB.

    Raises:
        Refused: it says something else.
    """
    if text.strip().lower() == "auto":
        return _AUTO
    found = re.fullmatch(r"(\d+)\s*([KMGTP]?I?)B?", text.strip().upper())
    size = int(found[1]) * _SUFFIXES[found[2]] if found and found[2] in _SUFFIXES else 0
    if size <= 0:
        raise driver.Refused(f"{_DISK} is {text!r}: set it to auto, or to a size such as 500M or 5Gi")
    return size


def _account_label(user: str) -> str:
    return f"account.{user}"


def _label(relation: Relation) -> str:
    return driver.secret_label(relation, answer.PASSWORD)


SERVICE = RabbitMQ()
