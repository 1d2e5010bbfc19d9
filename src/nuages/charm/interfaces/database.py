"""What PostgreSQL, MySQL and MongoDB have in common: the flat databag of data_interfaces (version 0).

TLS: the connect string asks the driver to check the server's certificate against the authority that the provider
names, but not the host in it. Certificates that charms make name their units; the endpoint that an application
connects to may be a Kubernetes service, a proxy or an address that none of them names, and then nothing would work.
The authority signs for that one deployment. Who knows better has the certificate's path in `*_DB_TLS_CA`.
"""

import json
from typing import cast

from nuages.charm import urls
from nuages.charm.facts import Bag, Facts, Relation
from nuages.charm.interfaces.base import NotReady, Publication, Value, decoded
from nuages.charm.interfaces.tls import NO_TLS, Tls, read_tls
from nuages.charm.plan import File
from nuages.charm.variables import Variable
from nuages.contract import endpoints
from nuages.contract.row import NamedTuple

REQUESTED = ("username", "password", "tls", "tls-ca", "uris", "read-only-uris")


class Dialect(NamedTuple):
    """How one engine's URLs look."""

    scheme: str
    secure: tuple[tuple[str, str], ...]
    """Query parameters for TLS; `{ca}` stands for the path of the authority's certificate."""
    plain: tuple[tuple[str, str], ...]
    """Those for TLS when no authority is named."""


class Database(NamedTuple):
    """A database to use."""

    url: str
    prefix: str
    origin: str
    identity: str
    """The same for as long as the data is: a failover of the server does not change it, another relation does."""
    tls: Tls = NO_TLS
    read_only_endpoints: str = ""
    read_only_url: str = ""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """`POSTGRESQL_DB_CONNECT_STRING` and the parts of the URL; what is known of TLS and of replicas."""
        replicas = (
            Variable(f"{self.prefix}_READ_ONLY_ENDPOINTS", self.read_only_endpoints, self.origin),
            Variable(f"{self.prefix}_READ_ONLY_CONNECT_STRING", self.read_only_url, self.origin, secret=True),
        )
        return (
            *urls.variables(self.prefix, self.url, self.origin),
            *self.tls.variables(self.prefix, self.origin),
            *(variable for variable in replicas if variable.value),
        )


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


def files(value: Value) -> tuple[File, ...]:
    """Return the authority's certificate."""
    return (value.tls.authority,) if isinstance(value, Database) and value.tls.authority else ()


def field(relation: Relation, name: str, group: str) -> str:
    """Return a field from the secret of its group, else from the bag itself; "" when it is in neither."""
    content = relation.secrets.get(relation.bag.get(group, "")) or {}
    return content.get(name) or relation.bag.get(name, "")


def unreadable(relation: Relation, bag: Bag) -> bool:
    """Whether a secret that the bag names is not ours to read yet."""
    uris = (bag.get("secret-user", ""), bag.get("secret-tls", ""))
    return any(uri.startswith("secret:") and relation.secrets.get(uri) is None for uri in uris)


def hosts(text: str) -> list[str]:
    """Return the usable of several `host:port` that commas separate, as they are written."""
    return [host for host in map(str.strip, text.split(",")) if urls.is_host(host)]


def parse(relation: Relation, interface: endpoints.Interface, dialect: Dialect) -> Database | NotReady:
    """Read the provider's answer: a whole URL, else the parts of one."""
    bag = relation.bag
    if unreadable(relation, bag):
        return NotReady("its secret cannot be read yet")
    if reads_units(bag) and not any(unit.get("state") == "ready" for unit in relation.units.values()):
        return NotReady("its units are not ready yet")
    url = urls.first(field(relation, "uris", "secret-user"))
    username = field(relation, "username", "secret-user")
    password = field(relation, "password", "secret-user")
    complete = bool(username and password)
    name = bag.get("database") or _requested(bag) or (urls.parse(url).name if url else "") or relation.local_app
    if not url:
        servers = hosts(bag.get("endpoints", ""))
        # MySQL writes the password before the username: a secret can be there and not be complete
        reason = next(
            (text for there, text in ((complete, "credentials"), (servers, "endpoints"), (name, "name")) if not there),
            None,
        )
        if reason:
            return NotReady(f"no {reason} yet")
        url = urls.build(dialect.scheme, username, password, servers[0], name)
    secure = read_tls(relation.endpoint, field(relation, "tls", "secret-tls"), field(relation, "tls-ca", "secret-tls"))
    replicas = hosts(bag.get("read-only-endpoints", ""))
    replica = urls.first(field(relation, "read-only-uris", "secret-user"))
    if not replica and replicas and complete and name:
        replica = urls.build(dialect.scheme, username, password, replicas[0], name)
    return Database(
        url=_secured(url, dialect, secure),
        prefix=endpoints.prefix_of(interface, relation.endpoint),
        origin=f"integration {relation.endpoint}",
        identity=f"{relation.endpoint}:{relation.id}:{name}",
        tls=secure,
        read_only_endpoints=",".join(replicas),
        read_only_url=_secured(replica, dialect, secure) if replica else "",
    )


def _requested(bag: Bag) -> str:
    """Return the database's name in the copy of our request that providers keep."""
    data = decoded(bag.get("data", ""))
    name = cast("dict[str, object]", data).get("database") if isinstance(data, dict) else None
    return name if isinstance(name, str) else ""


def _secured(url: str, dialect: Dialect, secure: Tls) -> str:
    if not secure.on:
        return url
    path = secure.authority.path if secure.authority else ""
    parameters = dialect.secure if path else dialect.plain
    return urls.with_query(url, {name: value.format(ca=path) for name, value in parameters})
