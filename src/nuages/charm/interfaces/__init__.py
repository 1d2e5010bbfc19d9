"""The relation interfaces that the charm speaks: one module each, one line each in REGISTRY."""

from collections.abc import Iterator
from typing import NamedTuple

from nuages.charm.facts import Facts, Relation
from nuages.charm.interfaces import (
    grafana,
    http_proxy,
    ingress,
    loki,
    mongodb,
    mysql,
    oauth,
    openfga,
    postgresql,
    prometheus,
    rabbitmq,
    redis,
    s3,
    saml,
    smtp,
    tracing,
    valkey,
)
from nuages.charm.interfaces.base import Interface, NotReady, Value
from nuages.charm.variables import Variable

REGISTRY = (
    postgresql.INTERFACE,
    mysql.INTERFACE,
    mongodb.INTERFACE,
    redis.INTERFACE,
    valkey.INTERFACE,
    s3.INTERFACE,
    saml.INTERFACE,
    rabbitmq.INTERFACE,
    tracing.INTERFACE,
    smtp.INTERFACE,
    openfga.INTERFACE,
    oauth.INTERFACE,
    http_proxy.INTERFACE,
    loki.INTERFACE,
    ingress.INTERFACE,
    prometheus.INTERFACE,
    grafana.INTERFACE,
)

BY_NAME = {interface.name: interface for interface in REGISTRY}

class Integration(NamedTuple):
    """A relation together with what it says."""

    relation: Relation
    interface: Interface
    value: Value | NotReady


def provider_of(interface: str) -> str:
    """Return the name of an application that usually provides `interface`, for a command to type."""
    known = BY_NAME.get(interface)
    return known.provider if known else "APPLICATION"


def integrations(facts: Facts) -> Iterator[Integration]:
    """Read every relation whose interface is known; of several on one endpoint the oldest counts, if only one can."""
    seen: set[str] = set()
    for relation in sorted(facts.relations, key=lambda relation: relation.id):
        interface = BY_NAME.get(relation.interface)
        if interface is None or (relation.endpoint in seen and not interface.several):
            continue
        seen.add(relation.endpoint)
        yield Integration(relation, interface, usable(interface.settle(facts, relation, interface.parse(relation))))


def usable(value: Value | NotReady) -> Value | NotReady:
    """Return the value unless one of its variables cannot be one: no process takes a NUL or half a character."""
    known = value.partial if isinstance(value, NotReady) else value
    if known is None or all(map(_exportable, known.variables)):
        return value
    return NotReady("its data holds a character that no variable can hold")


def _exportable(variable: Variable) -> bool:
    try:
        return b"\0" not in variable.value.encode()
    except UnicodeEncodeError:
        return False
