"""Redis: the `redis` interface, in which joining is the request. It knows no credentials and no TLS."""

from nuages.charm import urls
from nuages.charm.facts import Bag, Relation
from nuages.charm.interfaces.base import Interface, NotReady, by_number, nothing
from nuages.charm.variables import Variable
from nuages.contract import endpoints
from nuages.contract.row import NamedTuple


class Server(NamedTuple):
    """A server to use."""

    url: str
    prefix: str
    origin: str

    @property
    def variables(self) -> tuple[Variable, ...]:
        """`REDIS_DB_CONNECT_STRING` and the parts of the URL."""
        return urls.variables(self.prefix, self.url, self.origin)


def parse(relation: Relation) -> Server | NotReady:
    """Read the units' bags, the first unit's before others; `leader-host` of the application stands for its host."""
    leader = _host(relation.bag.get("leader-host", ""))
    for _, unit in by_number(relation.units):
        port = unit.get("port", "")
        host = leader or _host(unit.get("hostname", ""))
        if host and port.isdecimal() and port.isascii():
            prefix = endpoints.prefix_of(endpoints.REDIS, relation.endpoint)
            return Server(f"redis://{host}:{port}", prefix, f"integration {relation.endpoint}")
    return NotReady("no host and port yet")


def _host(text: str) -> str:
    host = urls.bracketed(text.strip())
    return host if host != "None" and urls.is_host(host) and urls.parse(f"redis://{host}").port is None else ""


def always(_bag: Bag) -> bool:
    """Whether the units' bags matter: they have the port."""
    return True


INTERFACE = Interface(
    name=endpoints.REDIS.name,
    provider="redis-k8s",
    publish=nothing,
    parse=parse,
    reads_units=always,
)
