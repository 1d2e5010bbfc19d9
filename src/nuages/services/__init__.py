"""The built-in applications: the other side of each relation, with a real server behind it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from nuages.engine.service import Service

_MODULES = {
    "hydra": "nuages.services.hydra",
    "loki-k8s": "nuages.services.loki",
    "mongodb-k8s": "nuages.services.mongodb",
    "openfga-k8s": "nuages.services.openfga",
    "mysql-k8s": "nuages.services.mysql",
    "postgresql-k8s": "nuages.services.postgresql",
    "prometheus-k8s": "nuages.services.prometheus",
    "rabbitmq-k8s": "nuages.services.rabbitmq",
    "redis-k8s": "nuages.services.valkey.redis",
    "s3-integrator": "nuages.services.s3",
    "saml-integrator": "nuages.services.saml",
    "self-signed-certificates": "nuages.services.certificates",
    "smtp-integrator": "nuages.services.smtp",
    "squid-forward-proxy": "nuages.services.squid",
    "traefik-k8s": "nuages.services.traefik",
    "nginx-ingress-integrator": "nuages.services.traefik.nginx",  # after the one that `up` takes for ingress
    "valkey": "nuages.services.valkey",
}


class _Registry(Mapping[str, "Service"]):
    """Names at once, the applications themselves when asked for."""

    def __getitem__(self, name: str) -> Service:
        return cast("Service", importlib.import_module(_MODULES[name]).SERVICE)

    def __contains__(self, name: object) -> bool:
        return name in _MODULES

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


REGISTRY: Mapping[str, Service] = _Registry()
"""Every built-in application by its name on Charmhub; a row makes one, its module's `SERVICE` is it."""
