"""Traefik's configuration: the command line, and the routes as one document for its file provider. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from nuages.services.traefik import ingress

PING_PORT = 8082
_REQUEST_ID = "request-id"
_CANONICAL = "canonical-name"
_TO_HTTPS = "to-https"
_LOOPBACKS = ("127.0.0.1", "::1", "[::1]", "0.0.0.0", "ip6-localhost", "localhost.localdomain")  # noqa: S104  # names people type
_LOWEST = 1
WEB, SECURE = "web", "websecure"
OWN_PORTS = range(8101, 8117)
"""Ports in the pod for applications that have one of their own."""


@dataclass(frozen=True)
class Secured:
    """TLS: the certificate with its chain (PEM), the file with its key, and the port of this machine for https."""

    certificate: str
    key: str
    port: int


def own(index: int) -> str:
    """Return the entry point at one of `OWN_PORTS`."""
    return f"own{index}"


def arguments(port: int, secure_port: int, directory: str) -> list[str]:
    """Return Traefik's arguments: entry points, the folder it watches, its access log."""
    entries = {WEB: port, SECURE: secure_port} | {own(index): number for index, number in enumerate(OWN_PORTS)}
    return [
        *(f"--entryPoints.{name}.address=:{number}" for name, number in entries.items()),
        *(f"--entryPoints.{name}.http.aliasHeadersStrategy=delete" for name in entries),
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


def document(
    requirers: Iterable[ingress.Requirer],
    urls: Mapping[int, str],
    *,
    entries: Mapping[int, str] | None = None,
    secured: Secured | None = None,
) -> dict[str, Any]:
    """Return the routes to `requirers` at their URLs (relation → URL).

    Args:
        requirers: the applications.
        urls: where each is; one without is not served.
        entries: entry points of relations that have one of their own.
        secured: the certificate, when there is one; http then goes on beside https, or leads there if asked for.
    """
    routers: dict[str, Any] = {}
    services: dict[str, Any] = {}
    middlewares: dict[str, Any] = {_REQUEST_ID: {"plugin": {"requestid": {}}}}
    for requirer in sorted((each for each in requirers if each.relation in urls), key=lambda requirer: requirer.key):
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
        services[requirer.key] = {"loadBalancer": _balancer(requirer)}
        own_entry = (entries or {}).get(requirer.relation, "")
        router = {
            "entryPoints": [own_entry or WEB],
            **_rule("" if own_entry else url.hostname or "", prefix),
            "middlewares": chain,
            "service": requirer.key,
        }
        if secured:
            routers[f"{requirer.key}-secure"] = {**router, "entryPoints": [own_entry or SECURE], "tls": {}}
            if requirer.redirect_https:
                middlewares[_TO_HTTPS] = {"redirectScheme": {"scheme": "https", "port": str(secured.port)}}
                router["middlewares"] = [_TO_HTTPS]
        if not (secured and own_entry):
            routers[requirer.key] = router
        if url.hostname == ingress.ROOT and not prefix and not own_entry:
            middlewares[_CANONICAL] = {"redirectRegex": _redirect(ingress.ROOT)}
            routers[_CANONICAL] = {
                "entryPoints": [WEB],
                "rule": " || ".join(f"Host(`{name}`)" for name in _LOOPBACKS),
                "middlewares": [_CANONICAL],
                "service": requirer.key,
            }
    sections = {"routers": routers, "middlewares": middlewares, "services": services}
    found: dict[str, Any] = {"http": {name: section for name, section in sections.items() if section}}
    if secured:
        pair = {"certFile": secured.certificate, "keyFile": secured.key}
        found["tls"] = {"certificates": [pair], "stores": {"default": {"defaultCertificate": pair}}}
    return found


def _rule(host: str, prefix: str) -> dict[str, Any]:
    if prefix:
        return {"rule": f"Path(`{prefix}`) || PathPrefix(`{prefix}/`)"}
    if host in (ingress.ROOT, ""):
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
