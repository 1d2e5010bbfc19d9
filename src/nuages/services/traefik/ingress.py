"""The interface ingress (v2): a requirer's databags become a typed value, and each requirer gets a URL. Pure."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from nuages.services import databags
from nuages.services.driver import Answer, Refused

ENDPOINT = "ingress"
ROOT = "localhost"
"""The host of the first application behind a gateway without a name of its own."""
PATH, SUBDOMAIN, PORT = "path", "subdomain", "port"
MODES = (PATH, SUBDOMAIN, PORT)
HOST = "host"
"""The whole host is one application's; not a mode that one can choose."""

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9._:-]+")
_HEALTH = {
    "path": re.compile(r"/[!-~]*"),
    "interval": re.compile(r"[0-9]{1,6}(ms|s|m)"),
    "timeout": re.compile(r"[0-9]{1,6}(ms|s|m)"),
    "scheme": re.compile(r"https?"),
    "port": re.compile(r"[0-9]{1,5}"),
    "hostname": re.compile(r"[A-Za-z0-9.-]+"),
}
"""What a requirer may say about health checks; one bad value would make Traefik drop every route."""


@dataclass(frozen=True)
class Requirer:
    """An application that wants to be reached, and where its units that can be reached are."""

    relation: int
    model: str
    name: str
    port: int
    hosts: tuple[str, ...]
    scheme: str = "http"
    strip_prefix: bool = False
    redirect_https: bool = False
    health: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def key(self) -> str:
        """Return `<model>-<application>`: its path or subdomain, and its name in Traefik."""
        return f"{self.model}-{self.name}"


@dataclass(frozen=True)
class Gateway:
    """How this gateway is reached from outside."""

    port: int
    external_hostname: str = ""
    routing_mode: str = PATH
    secure_port: int = 0
    """The port for https; 0 without a certificate."""
    ports: Mapping[int, int] = field(default_factory=dict[int, int])
    """With `port`, each relation's own."""

    @classmethod
    def parse(cls, port: int, config: Mapping[str, Any], secure_port: int = 0) -> Gateway:
        """Return the gateway that the options describe.

        Raises:
            Refused: an option has a value that cannot be.
        """
        host, mode = str(config.get("external_hostname", "")), str(config.get("routing_mode", PATH))
        if mode not in MODES:
            raise Refused(f"routing_mode is {mode!r}: set it to {PATH}, {SUBDOMAIN} or {PORT}")
        if host and not is_hostname(host):
            raise Refused(f"external_hostname is {host!r}: set it to a bare host name, without scheme, port or path")
        if mode == SUBDOMAIN and (not host or _is_address(host)):
            raise Refused("routing_mode is subdomain: set external_hostname to a name (not an address) for it")
        return cls(port, host.lower(), mode, secure_port)

    def url(self, host: str, path: str, relation: int = -1) -> str:
        """Return the URL of a path on one of the gateway's hosts, or on a relation's own port."""
        scheme, standard, port = ("https", 443, self.secure_port) if self.secure_port else ("http", 80, self.port)
        port = self.ports.get(relation, port)
        return f"{scheme}://{host}{'' if port == standard else f':{port}'}{path}"


def is_hostname(host: str) -> bool:
    """Tell whether this is a bare host name or IPv4 address."""
    return all(_LABEL.fullmatch(label) for label in host.lower().split("."))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def parse(relation: int, requirer: str, app: Mapping[str, str], units: Iterable[Mapping[str, str]]) -> Requirer | None:
    """Return what the databags of the application `requirer` say, or None while its own is still empty.

    A unit without a (valid) host is not ready and left out.

    Raises:
        Refused: the application's databag is not of the interface.
    """
    if not app.get("name"):
        return None
    bag = {key: databags.decoded(value) for key, value in app.items() if value}
    model, name, port = (bag.get(key) for key in ("model", "name", "port"))
    if not isinstance(model, str) or not isinstance(name, str) or not _LABEL.fullmatch(f"{model}-{name}"):
        raise Refused(f"{requirer}: the ingress databag names no model and application: {model!r:.60}, {name!r:.60}")
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65536:
        raise Refused(f"{name} asks for ingress to the port {port!r:.60}: it must be a number from 1 to 65535")
    scheme = bag.get("scheme", "http")
    if scheme not in ("http", "https", "h2c"):
        raise Refused(f"{name} asks for ingress with the scheme {scheme!r:.60}: there are http, https and h2c")
    health = bag.get("healthcheck_params")
    known = cast("dict[str, Any]", health) if isinstance(health, dict) else {}
    return Requirer(
        relation,
        model,
        name,
        port,
        hosts=tuple(sorted(filter(None, map(_host, units)))),
        scheme=scheme,
        strip_prefix=bag.get("strip-prefix") is True,
        redirect_https=bag.get("redirect-https") is True,
        health={key: known[key] for key, form in _HEALTH.items() if key in known and form.fullmatch(str(known[key]))},
    )


def _host(unit: Mapping[str, str]) -> str:
    host = databags.decoded(unit.get("host", "null"))
    return host if isinstance(host, str) and _HOST.fullmatch(host) else ""


def urls(requirers: Iterable[Requirer], published: Mapping[int, str], gateway: Gateway) -> dict[int, str]:
    """Return each requirer's URL by its relation.

    With an external hostname: upstream's `http://<host>/<model>-<app>` or `http://<model>-<app>.<host>/`. Without one:
    the first application is `http://localhost:PORT/`, further ones `http://<app>.localhost:PORT/`; whoever has been
    told a host (`published`: relation → URL) keeps it. With `port`: each at a port of its own.
    """
    ordered = sorted(requirers, key=lambda requirer: requirer.relation)
    if gateway.routing_mode == HOST:
        return {r.relation: gateway.url(gateway.external_hostname, "/") for r in ordered[:1]}
    if gateway.routing_mode == PORT:
        host = gateway.external_hostname or ROOT
        return {r.relation: gateway.url(host, "/", r.relation) for r in ordered if r.relation in gateway.ports}
    if gateway.routing_mode == SUBDOMAIN:
        return {r.relation: gateway.url(f"{r.key}.{gateway.external_hostname}", "/") for r in ordered}
    if gateway.external_hostname:
        return {r.relation: gateway.url(gateway.external_hostname, f"/{r.key}") for r in ordered}
    hosts: dict[int, str] = {}
    for requirer in ordered:
        host = urlsplit(published.get(requirer.relation, "")).hostname or ""
        if host in (ROOT, f"{requirer.name}.{ROOT}"):
            hosts[requirer.relation] = host
    for requirer in ordered:
        if requirer.relation not in hosts:
            free = ROOT not in hosts.values()
            hosts[requirer.relation] = ROOT if free else f"{requirer.name}.{ROOT}"
    return {relation: gateway.url(host, "/") for relation, host in sorted(hosts.items())}


def published(app: Mapping[str, str]) -> str:
    """Return the URL that our databag names, or ""."""
    value = databags.decoded(app.get("ingress", "null"))
    url = cast("dict[str, Any]", value).get("url") if isinstance(value, dict) else None
    return url if isinstance(url, str) else ""


def answer(url: str) -> Answer:
    """Return the provider's databag for an application that is served at `url`; with "" it is not served."""
    return Answer({"ingress": json.dumps({"url": url})} if url else {})
