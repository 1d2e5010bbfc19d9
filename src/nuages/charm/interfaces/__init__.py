"""The relation interfaces that the charm speaks: one module each, one line each in MODULES."""

import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nuages.charm.facts import Facts, Relation
from nuages.charm.interfaces.base import Interface, NotReady, Value
from nuages.charm.variables import is_exportable
from nuages.contract.row import NamedTuple

if TYPE_CHECKING:
    REGISTRY: tuple[Interface, ...]
    """All of them, in the order of MODULES."""

MODULES = {
    "postgresql_client": "postgresql",
    "mysql_client": "mysql",
    "mongodb_client": "mongodb",
    "redis": "redis",
    "valkey_client": "valkey",
    "s3": "s3",
    "saml": "saml",
    "rabbitmq": "rabbitmq",
    "tracing": "tracing",
    "smtp": "smtp",
    "openfga": "openfga",
    "oauth": "oauth",
    "http_proxy": "http_proxy",
    "loki_push_api": "loki",
    "ingress": "ingress",
    "prometheus_scrape": "prometheus",
    "grafana_dashboard": "grafana",
}
"""Interface to the module with its INTERFACE: imported when first asked for, as a hook needs but few of them."""


class _Registry(Mapping[str, Interface]):
    def __getitem__(self, name: str) -> Interface:
        module: Any = importlib.import_module(f"{__name__}.{MODULES[name]}")
        return module.INTERFACE

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


BY_NAME: Mapping[str, Interface] = _Registry()


def __getattr__(name: str) -> tuple[Interface, ...]:
    if name == "REGISTRY":
        return tuple(BY_NAME.values())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Integration(NamedTuple):
    """A relation together with what it says."""

    relation: Relation
    interface: Interface
    value: Value | NotReady


def find(facts: Facts, name: str) -> Interface | None:
    """Return the interface of this name, the charm's own before ours; None when nobody knows it."""
    return facts.added.interfaces.get(name) or BY_NAME.get(name)


def provider_of(facts: Facts, interface: str) -> str:
    """Return the name of an application that usually provides `interface`, for a command to type."""
    known = find(facts, interface)
    return known.provider if known else "APPLICATION"


def integrations(facts: Facts) -> Iterator[Integration]:
    """Read every relation whose interface is known; of several on one endpoint the oldest counts, if only one can."""
    seen: set[str] = set()
    for relation in sorted(facts.relations, key=lambda relation: relation.id):
        interface = find(facts, relation.interface)
        if interface is None or (relation.endpoint in seen and not interface.several):
            continue
        seen.add(relation.endpoint)
        yield Integration(relation, interface, usable(interface.settle(facts, relation, interface.parse(relation))))


def usable(value: Value | NotReady) -> Value | NotReady:
    """Return the value unless one of its variables cannot be one: no process takes a NUL or half a character."""
    known = value.partial if isinstance(value, NotReady) else value
    if known is None or all(is_exportable(variable.value) for variable in known.variables):
        return value
    return NotReady("its data holds a character that no variable can hold")
