"""traefik-k8s, built in: a URL on this machine for each application behind it, by a real Traefik."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ops.pebble

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Console, Context, Relation
from nuages.services import driver
from nuages.services.traefik import ingress, routes, server

_PREFERRED_PORT = 8000
_START_TIMEOUT = 30.0  # seconds


class Traefik:
    """The application as the engine sees it."""

    name = "traefik-k8s"
    summary = "Traefik: a URL on this machine for each application"
    version = server.VERSION
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "Real Traefik on one unit; speaks what Charmhub's traefik-k8s speaks.",
        "containers": {server.SERVICE: {}},
        "provides": {ingress.ENDPOINT: {"interface": "ingress"}},
    }
    options: Mapping[str, Any] = {
        "port": {
            "type": "int",
            "default": _PREFERRED_PORT,
            "description": "The port on this machine to ask for first; chosen once, the next free one if it is taken.",
        },
        "external_hostname": {
            "type": "string",
            "description": (
                "The host name in the URLs given to applications: a bare name, without scheme or port. "
                "Unset, the first application gets http://localhost:PORT/, further ones http://<app>.localhost:PORT/."
            ),
        },
        "routing_mode": {
            "type": "string",
            "default": ingress.PATH,
            "description": (
                "With an external_hostname: `path` serves http://<host>/<model>-<app>, "
                "`subdomain` http://<model>-<app>.<host>/."
            ),
        },
    }
    actions: Mapping[str, Any] = {
        "show-proxied-endpoints": {"description": "List the URLs of the applications behind this proxy and its own."}
    }
    programs = ("traefik",)
    volumes: Mapping[str, str] = {}
    aliases: tuple[str, ...] = ()

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        return server.image(programs, directory)

    async def hook(self, context: Context) -> None:
        """Publish the port, route to every application behind ingress, tell each its URL, and say how things are."""
        if not driver.serves(context):
            context.set_status("blocked", driver.one_unit_only(context))
            return
        if context.hook in ("stop", "remove") or context.leaving:
            context.set_status("maintenance", "stopping")
            return
        try:
            gateway = await _gateway(context)
            requirers, problem = _requirers(context)
        except driver.Refused as error:
            context.set_status("blocked", str(error))
            return
        urls = _urls(context, requirers, gateway)
        try:
            ready = await self._start(context, routes.document(requirers, urls))
        except driver.NotReachable:
            context.set_status("waiting", "waiting for the container")
            return
        if context.is_leader:
            for relation in context.relations(ingress.ENDPOINT):
                driver.give(context, relation, ingress.answer(urls.get(relation.id, "")))
        if not ready:
            context.set_status("waiting", driver.WAITING)
        elif problem:
            context.set_status("blocked", problem)
        else:
            context.set_status("active", _serving(gateway, urls, _preferred(context)))

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        gateway = await _gateway(context)
        endpoints = {context.application: {"url": gateway.url(gateway.external_hostname or ingress.ROOT, "")}}
        for relation in context.relations(ingress.ENDPOINT):
            url = ingress.published(relation.local_app())
            if url:
                endpoints[relation.remote_application] = {"url": url}
        return {"proxied-endpoints": json.dumps(endpoints)}

    async def _start(self, context: Context, document: Mapping[str, Any]) -> bool:
        """Have the server run with these routes and return whether it answers; after a start, wait for that."""

        def work(client: ops.pebble.Client) -> bool:
            change = driver.converge(client, server.workload(document))
            if change is None:
                return driver.check_is_up(client)
            return driver.await_ready(
                client,
                server.READY,
                change,
                server="Traefik",
                application=context.application,
                timeout=_START_TIMEOUT,
            )

        return await driver.with_pebble(context, work)

    def console(self, context: Context, relation: Relation) -> Console:
        """Refuse: there is nothing to log in to."""
        raise driver.ServiceError(
            f"cannot open a console: {context.application} is a web server",
            fix=f"open the URL of {relation.remote_application}: nuages status shows it",
        )


def _preferred(context: Context) -> int:
    return int(context.config.get("port", _PREFERRED_PORT))


async def _gateway(context: Context) -> ingress.Gateway:
    port = await context.publish("web", server.PORT, preferred=_preferred(context))
    return ingress.Gateway.parse(port, context.config)


def _requirers(context: Context) -> tuple[list[ingress.Requirer], str]:
    """Return the applications to serve, and the first problem with another one, or ""."""
    requirers: list[ingress.Requirer] = []
    problems: list[str] = []
    for relation in context.relations(ingress.ENDPOINT):
        units = [relation.remote_unit(unit) for unit in relation.remote_units]
        try:
            requirer = ingress.parse(relation.id, relation.remote_app(), units)
        except driver.Refused as error:
            problems.append(str(error))
            continue
        if requirer:
            requirers.append(requirer)
    return requirers, problems[0] if problems else ""


def _urls(context: Context, requirers: list[ingress.Requirer], gateway: ingress.Gateway) -> dict[int, str]:
    published: dict[int, str] = {}
    if context.is_leader:
        relations: list[Relation] = context.relations(ingress.ENDPOINT)
        published = {relation.id: ingress.published(relation.local_app()) for relation in relations}
    return ingress.urls(requirers, published, gateway)


def _serving(gateway: ingress.Gateway, urls: Mapping[int, str], preferred: int) -> str:
    where = ", ".join(urls.values()) or gateway.url(gateway.external_hostname or ingress.ROOT, "/")
    taken = not gateway.external_hostname and gateway.port != preferred
    return f"serving at {where}" + (f" (port {preferred} is taken)" if taken else "")


SERVICE = Traefik()
