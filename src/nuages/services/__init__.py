"""The built-in applications: the other side of each relation, with a real server behind it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from nuages.engine.service import Service

_ROWS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "hydra": ("hydra", {"oauth": "oauth"}),
    "loki-k8s": ("loki", {"logging": "loki_push_api"}),
    "mongodb-k8s": ("mongodb", {"database": "mongodb_client"}),
    "openfga-k8s": ("openfga", {"openfga": "openfga"}),
    "mysql-k8s": ("mysql", {"database": "mysql_client"}),
    "postgresql-k8s": ("postgresql", {"database": "postgresql_client"}),
    "prometheus-k8s": ("prometheus", {}),
    "rabbitmq-k8s": ("rabbitmq", {"amqp": "rabbitmq"}),
    "redis-k8s": ("valkey.redis", {"redis": "redis"}),
    "s3-integrator": ("s3", {"s3-credentials": "s3"}),
    "saml-integrator": ("saml", {"saml": "saml"}),
    "self-signed-certificates": ("certificates", {"certificates": "tls-certificates"}),
    "smtp-integrator": ("smtp", {"smtp": "smtp", "smtp-legacy": "smtp"}),
    "squid-forward-proxy": ("squid", {"http-proxy": "http_proxy"}),
    "traefik-k8s": ("traefik", {"ingress": "ingress"}),
    "nginx-ingress-integrator": ("traefik.nginx", {"ingress": "ingress"}),  # after the one that `up` takes for ingress
    "valkey": ("valkey", {"valkey-client": "valkey_client"}),
}
"""By name on Charmhub: the module below this package, and the interface of each endpoint that its metadata provide."""

PROVIDES: Mapping[str, Mapping[str, str]] = {name: provides for name, (_, provides) in _ROWS.items()}
"""Who speaks what, without importing anybody: `up` looks for a partner among them all and loads only that one."""


class _Registry(Mapping[str, "Service"]):
    """Names at once, the applications themselves when asked for."""

    def __getitem__(self, name: str) -> Service:
        return cast("Service", importlib.import_module(f"nuages.services.{_ROWS[name][0]}").SERVICE)

    def __contains__(self, name: object) -> bool:
        return name in _ROWS

    def __iter__(self) -> Iterator[str]:
        return iter(_ROWS)

    def __len__(self) -> int:
        return len(_ROWS)


REGISTRY: Mapping[str, Service] = _Registry()
"""Every built-in application by its name on Charmhub; a row makes one, its module's `SERVICE` is it."""
