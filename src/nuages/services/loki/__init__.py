"""loki-k8s, built in: a log store of our own that takes what Loki takes and answers a part of what Loki answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Console, Context, Relation
from nuages.services import driver, unit
from nuages.services.loki import answer, server

NOTE = "not Loki: a log store with a part of its API"
_SECRET = "login"  # noqa: S105  # a label
_SIZE = re.compile(r"(\d+)(MB|GB)")
_BYTES = {"MB": 10**6, "GB": 10**9}


class Loki:
    """The application as the engine sees it."""

    name = "loki-k8s"
    summary = "A log store with a part of Loki's API; not Loki"
    version = server.VERSION
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "A log store of our own on one unit; speaks what Charmhub's loki-k8s speaks.",
        "containers": {server.CONTAINER: {}},
        "provides": {answer.ENDPOINT: {"interface": "loki_push_api"}},
    }
    options: Mapping[str, Any] = {
        "retention-period": {
            "type": "int",
            "default": 0,
            "description": "Days for which lines are kept; 0 is for ever, within `retention-size`.",
        },
        "retention-size": {
            "type": "string",
            "default": "1GB",
            "description": "How much disk lines may take, as `512MB`: the oldest go. Only here.",
        },
        "ingestion-rate-mb": {
            "type": "int",
            "default": 4,
            "description": "Megabytes that may be pushed each second.",
        },
        "ingestion-burst-size-mb": {
            "type": "int",
            "default": 15,
            "description": "Megabytes that may be pushed at once.",
        },
    }
    actions: Mapping[str, Any] = {
        "show-page": {
            "description": (
                "Open a page with the lines, and the API, on a port of this machine's loopback, and show its address, "
                "user and password. Only here."
            )
        },
        "rotate-password": {
            "description": "Give the page and the API a new password, in force at once. Only here.",
        },
    }
    programs: tuple[str, ...] = ()
    volumes: Mapping[str, str] = {"loki-chunks": server.DATA}
    aliases: tuple[str, ...] = ()

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        return server.image(programs, directory)

    async def hook(self, context: Context) -> None:
        """Run the store, tell everybody where to push, and say how things are."""

        async def serve() -> tuple[str, str]:
            ready, problem = await _serve(context)
            return unit.status(problem, NOTE) if ready else ("waiting", driver.WAITING)

        await unit.hook(context, serve, leader_only=True)

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        if name == "rotate-password":
            await _serve(context, rotate=True)
            return {"changed": server.USER}
        password = _password(context)
        port = await context.publish("page", server.PORT, preferred=server.PORT)
        return {"url": f"http://localhost:{port}/", "username": server.USER, "password": password}

    def console(self, context: Context, relation: Relation) -> Console:
        """Return the address of the page and the API with its login; there is no client in the container."""
        kept = context.secret(_SECRET)
        if kept is None:
            raise driver.ServiceError(
                f"cannot connect to {context.application}: it has no password yet", fix="nuages status"
            )
        return Console(f"http://{server.USER}:{quote(kept['password'])}@{{address}}/", server.PORT)


def _password(context: Context, *, rotate: bool = False) -> str:
    kept = context.secret(_SECRET)
    if kept and not rotate:
        return kept["password"]
    password = driver.new_password()
    context.set_secret(_SECRET, {"username": server.USER, "password": password})
    return password


async def _serve(context: Context, *, rotate: bool = False) -> tuple[bool, str]:
    """Run the store and answer all relations; return whether it is ready, and the first problem with a rule."""
    settings = _settings(context.config)
    relations = context.relations(answer.ENDPOINT)
    groups: list[Mapping[str, Any]] = []
    problems: dict[int, list[str]] = {}
    every: list[str] = []
    for relation in relations:
        try:
            found = answer.rules(relation.remote_application, relation.remote_app())
        except driver.Refused as error:
            problems[relation.id] = [str(error)]
            every.append(str(error))
            continue
        groups += found
        problems[relation.id] = answer.problems(found)
        every += [f"{relation.remote_application}: {text}" for text in problems[relation.id]]
    patient = unit.patient(context, bool(relations))
    password = _password(context, rotate=rotate)
    related = [relation.remote_application for relation in relations]
    ready = await server.run(context, settings, password, groups, related, patient=patient)
    if ready:
        said = answer.unit(context.fqdn, server.PORT)
        for relation in relations:
            driver.give(context, relation, answer.answer(problems[relation.id]))
            delta = driver.difference(relation.local_unit(), said | _others(relation))
            if delta:
                relation.set_unit(delta)
    more = f" (and {len(every) - 1} more)" if len(every) > 1 else ""
    return ready, every[0] + more if every else ""


def _others(relation: Relation) -> dict[str, str]:
    """Return what the engine has put into the unit's databag, which is not ours to remove."""
    ours = ("endpoint", "public_address")
    return {key: value for key, value in relation.local_unit().items() if key not in ours}


def _settings(config: Mapping[str, Any]) -> server.Settings:
    """Return what the options say.

    Raises:
        Refused: one of them cannot be.
    """
    values = {key: config.get(key, option["default"]) for key, option in Loki.options.items()}
    size = _SIZE.fullmatch(str(values["retention-size"]))
    if size is None or not int(size[1]):
        raise driver.Refused(f"retention-size is {values['retention-size']!r}: set it to a size, as 512MB or 1GB")
    days = int(values["retention-period"])
    if days < 0:
        raise driver.Refused(f"retention-period is {days}: set it to a number of days, or to 0 for ever")
    for key in ("ingestion-rate-mb", "ingestion-burst-size-mb"):
        if int(values[key]) < 1:
            raise driver.Refused(f"{key} is {values[key]}: set it to a number of megabytes")
    rate, burst = (int(values[key]) * 10**6 for key in ("ingestion-rate-mb", "ingestion-burst-size-mb"))
    return server.Settings(days, int(size[1]) * _BYTES[size[2]], rate, burst)


SERVICE = Loki()
