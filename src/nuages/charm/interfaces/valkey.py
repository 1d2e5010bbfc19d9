"""Valkey: the `valkey_client` interface; version 1, which we ask for, and the flat version 0."""

import json

from nuages.charm import urls
from nuages.charm.facts import Bag, Facts, Relation
from nuages.charm.interfaces import database
from nuages.charm.interfaces.base import Interface, NotReady, Publication, Value, identity, records
from nuages.charm.interfaces.tls import Tls, read_tls
from nuages.charm.plan import File
from nuages.charm.variables import Variable
from nuages.contract import endpoints
from nuages.contract.row import NamedTuple

EVERYTHING = "*"


class Store(NamedTuple):
    """A store to use."""

    url: str
    prefix: str
    origin: str
    tls: Tls
    read_only_endpoints: str
    sentinel_endpoints: str
    mode: str
    version: str

    @property
    def variables(self) -> tuple[Variable, ...]:
        """`VALKEY_DB_CONNECT_STRING` and the parts of the URL; where else to connect, and how it runs.

        Mode and version come under two names: paas-charm's, without `_DB`, and the one in its documentation.
        """
        short = self.prefix.removesuffix("_DB")
        others = {
            f"{self.prefix}_READ_ONLY_ENDPOINTS": self.read_only_endpoints,
            f"{self.prefix}_SENTINEL_ENDPOINTS": self.sentinel_endpoints,
            **{f"{prefix}_MODE": self.mode for prefix in (self.prefix, short)},
            **{f"{prefix}_VERSION": self.version for prefix in (self.prefix, short)},
        }
        return (
            *urls.variables(self.prefix, self.url, self.origin),
            *self.tls.variables(self.prefix, self.origin),
            *(Variable(name, value, self.origin) for name, value in others.items()),
        )


def publish(facts: Facts, relation: Relation, _url: str) -> Publication:
    """Ask for everything. The request has an identity, always the same for one relation: any leader writes it alike."""
    import hashlib  # not needed once there is an answer, and slow to import

    salt = identity(facts, relation)[:16]
    name = hashlib.sha256(f"{EVERYTHING}:{salt}".encode()).hexdigest()[:16]
    request = {"resource": EVERYTHING, "request-id": name, "salt": salt}
    return Publication(app={"version": "v1", "requests": json.dumps([request])})


def answers(bag: Bag) -> list[Bag]:
    """Return the provider's answers: those of version 1, else the bag itself."""
    if "requests" not in bag:
        return [bag]
    return records(bag["requests"])


def secrets(bag: Bag) -> tuple[str, ...]:
    """Return the URIs of the secrets that the answers name."""
    return tuple(value for answer in answers(bag) for value in answer.values() if value.startswith("secret:"))


def parse(relation: Relation) -> Store | NotReady:
    """Read the answer: we make one request, hence the first that names endpoints is ours."""
    found = [answer for answer in answers(relation.bag) if answer.get("endpoints")]
    if not found:
        return NotReady("no endpoints yet")
    answer = relation._replace(bag=found[0])
    if database.unreadable(answer, answer.bag):
        return NotReady("its secret cannot be read yet")
    username = database.field(answer, "username", "secret-user")
    password = database.field(answer, "password", "secret-user")
    if not (username and password):
        return NotReady("no credentials yet")
    servers = database.hosts(answer.bag["endpoints"])
    if not servers:
        return NotReady("no endpoints yet")
    secure = read_tls(
        relation.endpoint, database.field(answer, "tls", "secret-tls"), database.field(answer, "tls-ca", "secret-tls")
    )
    return Store(
        url=_url(username, password, servers, secure),
        prefix=endpoints.prefix_of(endpoints.VALKEY, relation.endpoint),
        origin=f"integration {relation.endpoint}",
        tls=secure,
        read_only_endpoints=answer.bag.get("read-only-endpoints", ""),
        sentinel_endpoints=answer.bag.get("sentinel-endpoints", ""),
        mode=answer.bag.get("mode", ""),
        version=answer.bag.get("version", ""),
    )


def _url(username: str, password: str, servers: list[str], secure: Tls) -> str:
    """Return the URL, in valkey-py's words: it does not check the host in a certificate unless told to."""
    user = f"{urls.encoded(username)}:{urls.encoded(password)}"
    url = f"{'valkeys' if secure.on else 'valkey'}://{user}@{','.join(servers)}"
    return urls.with_query(url, {"ssl_ca_certs": secure.authority.path}) if secure.authority else url


def files(value: Value) -> tuple[File, ...]:
    """Return the authority's certificate."""
    return (value.tls.authority,) if isinstance(value, Store) and value.tls.authority else ()


INTERFACE = Interface(
    name=endpoints.VALKEY.name,
    provider="valkey",
    publish=publish,
    parse=parse,
    secrets=secrets,
    files=files,
)
