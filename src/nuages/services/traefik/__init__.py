"""traefik-k8s, built in: a URL on this machine for each application behind it, by a real Traefik."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ops.pebble

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Console, Context, Relation
from nuages.services import driver, tls, unit
from nuages.services.traefik import ingress, routes, server

PREFERRED_PORT = 8000
_PREFERRED_SECURE_PORT = 8443
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
        "requires": tls.METADATA,
    }
    options: Mapping[str, Any] = {
        "port": {
            "type": "int",
            "default": PREFERRED_PORT,
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
                "`subdomain` http://<model>-<app>.<host>/. `port` gives each application a port of this machine. Only "
                "here: Charmhub's has no `port`."
            ),
        },
    }
    actions: Mapping[str, Any] = {
        "show-proxied-endpoints": {"description": "List the URLs of the applications behind this proxy and its own."}
    }
    programs = ("traefik",)
    volumes: Mapping[str, str] = {"data": server.DATA}
    aliases: tuple[str, ...] = ()

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        return server.image(programs, directory)

    async def hook(self, context: Context) -> None:
        """Publish the port, route to every application behind ingress, tell each its URL, and say how things are."""
        if not driver.serves(context):
            context.set_status("blocked", unit.one_only(context))
            return
        if context.hook in ("stop", "remove") or context.leaving:
            context.set_status("maintenance", "stopping")
            return
        try:
            requirers, problem = _requirers(context)
            gateway = await self.gateway(context, requirers)
            urls = _urls(context, requirers, gateway)
            gateway, secured = await _secure(context, gateway, urls)
            urls = _urls(context, requirers, gateway)
            problem = problem or _unserved(requirers, urls)
            ready = await self._start(
                context, routes.document(requirers, urls, entries=_entries(gateway), secured=secured)
            )
        except driver.Refused as error:
            context.set_status("blocked", str(error))
            return
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
            context.set_status("active", _serving(gateway, urls, preferred(context)))

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        requirers, _ = _requirers(context)
        gateway = await self.gateway(context, requirers)
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
                return all(check.status == ops.pebble.CheckStatus.UP for check in client.get_checks())
            return driver.await_ready(
                client,
                server.READY,
                change,
                server="Traefik",
                application=context.application,
                timeout=_START_TIMEOUT,
            )

        return await driver.with_pebble(context, work)

    async def gateway(self, context: Context, requirers: list[ingress.Requirer]) -> ingress.Gateway:
        """Publish what the options ask for and return how the gateway is reached, without https.

        Raises:
            Refused: an option cannot be.
        """
        port = await context.publish("web", server.PORT, preferred=preferred(context))
        gateway = ingress.Gateway.parse(port, context.config)
        if gateway.routing_mode != ingress.PORT:
            return gateway
        ports: dict[int, int] = {}
        ordered = sorted(requirers, key=lambda requirer: requirer.relation)
        for requirer, inside in zip(ordered, routes.OWN_PORTS, strict=False):
            ports[requirer.relation] = await context.publish(requirer.key, inside, preferred=preferred(context) + 1)
        return replace(gateway, ports=ports)

    def console(self, context: Context, relation: Relation) -> Console:
        """Refuse: there is nothing to log in to."""
        raise driver.ServiceError(
            f"cannot open a console: {context.application} is a web server",
            fix=f"open the URL of {relation.remote_application}: nuages status shows it",
        )


def preferred(context: Context) -> int:
    """Return the port of this machine to ask for first.

    Raises:
        Refused: it is none.
    """
    port = int(context.config.get("port", PREFERRED_PORT))
    if not 0 < port < 65536:
        raise driver.Refused(f"port is {port}: set it to a number from 1 to 65535")
    return port


async def _secure(
    context: Context, gateway: ingress.Gateway, urls: Mapping[int, str]
) -> tuple[ingress.Gateway, routes.Secured | None]:
    """Return the gateway with https where there is a certificate for its names."""
    hosts = {urlsplit(url).hostname or "" for url in urls.values()} | {gateway.external_hostname or ingress.ROOT}
    found = await tls.certificate(context, server.TLS, sorted(hosts))
    if found is None:
        return gateway, None
    port = await context.publish("websecure", server.SECURE_PORT, preferred=_PREFERRED_SECURE_PORT)
    return replace(gateway, secure_port=port), routes.Secured(found.chain, f"{server.TLS}/key.pem", port)


def _entries(gateway: ingress.Gateway) -> dict[int, str]:
    return {relation: routes.own(index) for index, relation in enumerate(gateway.ports)}


def _unserved(requirers: list[ingress.Requirer], urls: Mapping[int, str]) -> str:
    """Return the problem of the first application that gets no URL, or ""."""
    without = [requirer.name for requirer in requirers if requirer.relation not in urls]
    return f"no port is left for {without[0]}: there are {len(routes.OWN_PORTS)}" if without else ""


def _requirers(context: Context) -> tuple[list[ingress.Requirer], str]:
    """Return the applications to serve, and the first problem with another one, or ""."""
    requirers: list[ingress.Requirer] = []
    problems: list[str] = []
    taken: dict[str, str] = {}
    for relation in context.relations(ingress.ENDPOINT):
        units = [relation.remote_unit(unit) for unit in relation.remote_units]
        try:
            requirer = ingress.parse(relation.id, relation.remote_application, relation.remote_app(), units)
        except driver.Refused as error:
            problems.append(str(error))
            continue
        if requirer is None:
            continue
        if requirer.key in taken:
            # Its route would take the other's place, and with it the other's requests.
            problems.append(
                f"{relation.remote_application} asks for ingress as {requirer.key}, as {taken[requirer.key]} does"
            )
            continue
        taken[requirer.key] = relation.remote_application
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
