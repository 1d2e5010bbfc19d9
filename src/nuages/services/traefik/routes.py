"""Traefik's configuration: the command line, and the routes as one document for its file provider. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from nuages.services.traefik import ingress

PING_PORT = 8082
_REQUEST_ID = "request-id"
_CANONICAL = "canonical-name"
_LOOPBACKS = ("127.0.0.1", "::1", "[::1]", "0.0.0.0", "ip6-localhost", "localhost.localdomain")  # noqa: S104  # names people type
_LOWEST = 1


def arguments(port: int, directory: str) -> list[str]:
    """Return Traefik's arguments: entry points, the folder it watches, its access log."""
    return [
        f"--entryPoints.web.address=:{port}",
        "--entryPoints.web.http.aliasHeadersStrategy=delete",
        f"--entryPoints.ping.address=127.0.0.1:{PING_PORT}",
        "--entryPoints.ping.http.aliasHeadersStrategy=delete",
        "--ping=true",
        "--ping.entryPoint=ping",
        f"--providers.file.directory={directory}",
        "--providers.providersThrottleDuration=100ms",
        # The address of a pod that was just replaced answers nothing, not even that nobody is there.
        "--serversTransport.forwardingTimeouts.dialTimeout=2s",
        "--experimental.localPlugins.requestid.moduleName=nuages/requestid",
        "--accessLog=true",
        "--accessLog.format=json",
        "--accessLog.fields.headers.names.X-Request-Id=keep",
        "--log.level=ERROR",
        "--log.noColor=true",
        "--global.checkNewVersion=false",
        "--global.sendAnonymousUsage=false",
    ]


def document(requirers: Iterable[ingress.Requirer], urls: Mapping[int, str]) -> dict[str, Any]:
    """Return the routes to `requirers` at their URLs (relation → URL)."""
    routers: dict[str, Any] = {}
    services: dict[str, Any] = {}
    middlewares: dict[str, Any] = {_REQUEST_ID: {"plugin": {"requestid": {}}}}
    for requirer in sorted(requirers, key=lambda requirer: requirer.key):
        url = urlsplit(urls[requirer.relation])
        prefix = url.path.rstrip("/")
        retry = f"{requirer.key}-retry"
        # Only a unit that could not be connected to is given up for the next one: no request runs twice.
        middlewares[retry] = {"retry": {"attempts": len(requirer.hosts) + 2, "initialInterval": "100ms"}}
        chain = [_REQUEST_ID, retry]
        if prefix and requirer.strip_prefix:
            strip = f"{requirer.key}-strip"
            middlewares[strip] = {"stripPrefix": {"prefixes": [prefix]}}
            chain.append(strip)
        routers[requirer.key] = {
            "entryPoints": ["web"],
            **_rule(url.hostname or "", prefix),
            "middlewares": chain,
            "service": requirer.key,
        }
        services[requirer.key] = {"loadBalancer": _balancer(requirer)}
        if url.hostname == ingress.ROOT and not prefix:
            middlewares[_CANONICAL] = {"redirectRegex": _redirect(ingress.ROOT)}
            routers[_CANONICAL] = {
                "entryPoints": ["web"],
                "rule": " || ".join(f"Host(`{name}`)" for name in _LOOPBACKS),
                "middlewares": [_CANONICAL],
                "service": requirer.key,
            }
    sections = {"routers": routers, "middlewares": middlewares, "services": services}
    return {"http": {name: section for name, section in sections.items() if section}}


def _rule(host: str, prefix: str) -> dict[str, Any]:
    if prefix:
        return {"rule": f"Path(`{prefix}`) || PathPrefix(`{prefix}/`)"}
    if host == ingress.ROOT:
        # Also what comes under a name of the user's own: the application decides which names it takes.
        return {"rule": "PathPrefix(`/`)", "priority": _LOWEST}
    return {"rule": f"Host(`{host}`)"}


def _balancer(requirer: ingress.Requirer) -> dict[str, Any]:
    balancer: dict[str, Any] = {
        "servers": [{"url": f"{requirer.scheme}://{_bracketed(host)}:{requirer.port}"} for host in requirer.hosts]
    }
    if requirer.health:
        balancer["healthCheck"] = dict(requirer.health)
    return balancer


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _redirect(host: str) -> dict[str, str]:
    """Return the redirect of another loopback name to `host`; the port is the client's, perhaps a forwarded one."""
    names = sorted({re.escape(name if ":" not in name else f"[{name.strip('[]')}]") for name in _LOOPBACKS})
    return {"regex": f"^http://(?:{'|'.join(names)})(:[0-9]+)?/(.*)$", "replacement": f"http://{host}${{1}}/${{2}}"}
