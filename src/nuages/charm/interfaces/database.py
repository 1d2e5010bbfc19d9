"""What PostgreSQL, MySQL and MongoDB have in common: the flat databag of data_interfaces (version 0)."""

import json
from typing import NamedTuple

from nuages.charm import urls
from nuages.charm.facts import Bag, Facts, Relation
from nuages.charm.interfaces.base import NotReady, Publication
from nuages.charm.variables import Variable
from nuages.contract import endpoints

REQUESTED = ("username", "password", "tls", "tls-ca", "uris", "read-only-uris")


class Database(NamedTuple):
    """A database to use."""

    url: str
    prefix: str
    origin: str
    identity: str
    """The same for as long as the data is: a failover of the server does not change it, another relation does."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """`POSTGRESQL_DB_CONNECT_STRING` and the parts of the URL."""
        return urls.variables(self.prefix, self.url, self.origin)


def publish(facts: Facts, _relation: Relation, _url: str) -> Publication:
    """Ask for a database named like the application.

    Once asked, the name must never change: providers build the URL from what stands there at the time.
    """
    return Publication(
        app={
            "database": facts.app,
            "requested-secrets": json.dumps(REQUESTED, separators=(",", ":")),
            "provided-secrets": '["mtls-cert"]',
        }
    )


def reads_units(bag: Bag) -> bool:
    """Whether the provider stands for another one, and says by unit when that one is ready."""
    return bag.get("subordinated") == "true"


def field(relation: Relation, name: str, group: str) -> str:
    """Return a field from the secret of its group, else from the bag itself; "" when it is in neither."""
    content = relation.secrets.get(relation.bag.get(group, "")) or {}
    return content.get(name) or relation.bag.get(name, "")


def parse(relation: Relation, interface: endpoints.Interface, scheme: str) -> Database | NotReady:
    """Read the provider's answer: a whole URL, else the parts of one."""
    uri = relation.bag.get("secret-user", "")
    if uri and relation.secrets.get(uri) is None:
        return NotReady("its secret cannot be read yet")
    if reads_units(relation.bag) and not any(bag.get("state") == "ready" for bag in relation.units.values()):
        return NotReady("its units are not ready yet")
    name = relation.bag.get("database") or "default"
    url = field(relation, "uris", "secret-user")
    if not url:
        hosts = relation.bag.get("endpoints", "")
        username = field(relation, "username", "secret-user")
        password = field(relation, "password", "secret-user")
        if not (username and password):
            return NotReady("no credentials yet")
        if not hosts:
            return NotReady("no endpoints yet")
        url = urls.build(scheme, username, password, hosts.split(",")[0], name)
    return Database(
        url=url,
        prefix=endpoints.prefix_of(interface, relation.endpoint),
        origin=f"integration {relation.endpoint}",
        identity=f"{relation.endpoint}:{relation.id}:{name}",
    )
