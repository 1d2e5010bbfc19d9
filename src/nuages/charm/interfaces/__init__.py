"""The relation interfaces that the charm speaks: one module each, one line each in REGISTRY."""

from collections.abc import Iterator
from typing import NamedTuple

from nuages.charm.facts import Facts, Relation
from nuages.charm.interfaces import ingress, postgresql
from nuages.charm.interfaces.base import Interface, NotReady, Value

REGISTRY = (
    postgresql.INTERFACE,
    ingress.INTERFACE,
)

BY_NAME = {interface.name: interface for interface in REGISTRY}

PROVIDERS = {
    "mysql_client": "mysql-k8s",
    "mongodb_client": "mongodb-k8s",
    "redis": "redis-k8s",
    "valkey_client": "valkey",
    "s3": "s3-integrator",
    "saml": "saml-integrator",
    "rabbitmq": "rabbitmq-k8s",
    "tracing": "tempo",
    "smtp": "smtp-integrator",
    "openfga": "openfga-k8s",
    "oauth": "hydra",
    "http_proxy": "squid-forward-proxy",
}
"""Who usually provides the interfaces that have no module yet."""


class Integration(NamedTuple):
    """A relation together with what it says."""

    relation: Relation
    interface: Interface
    value: Value | NotReady


def provider_of(interface: str) -> str:
    """Return the name of an application that usually provides `interface`, for a command to type."""
    known = BY_NAME.get(interface)
    return known.provider if known else PROVIDERS.get(interface, "APPLICATION")


def integrations(facts: Facts) -> Iterator[Integration]:
    """Read every relation whose interface is known; of several on one endpoint the oldest counts."""
    seen: set[str] = set()
    for relation in sorted(facts.relations, key=lambda relation: relation.id):
        interface = BY_NAME.get(relation.interface)
        if interface is None or relation.endpoint in seen:
            continue
        seen.add(relation.endpoint)
        yield Integration(relation, interface, interface.parse(relation))
