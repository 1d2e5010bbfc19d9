"""RabbitMQ: the `rabbitmq` interface. rabbitmq-k8s answers in its application's bag, rabbitmq-server in its units'.

The contract's virtual host is `/`, so two applications on one broker may use each other's queues. A user's own option
named like the endpoint, `rabbitmq-vhost`, asks for another; without that option nothing differs.
"""

from nuages.charm import urls
from nuages.charm.facts import Bag, Facts, Relation
from nuages.charm.interfaces.base import Interface, NotReady, Publication, Value, by_number
from nuages.charm.variables import Variable
from nuages.contract import endpoints, options
from nuages.contract.row import NamedTuple

VHOST = "/"
LONGEST = 255
"""Bytes of a virtual host's name in AMQP 0-9-1, a short string."""
PORT = 5672
"""The providers do not tell it."""


class Broker(NamedTuple):
    """A broker to use."""

    urls: tuple[str, ...]
    """One for each unit that answered, else one for the application; the first is the one to use."""
    prefix: str
    origin: str
    vhost: str = VHOST

    @property
    def variables(self) -> tuple[Variable, ...]:
        """`RABBITMQ_CONNECT_STRING`, the parts of the URL, the virtual host, and every unit's URL."""
        return (
            *urls.variables(self.prefix, self.urls[0], self.origin),
            Variable(f"{self.prefix}_VHOST", self.vhost, self.origin),
            Variable(f"{self.prefix}_CONNECT_STRINGS", ",".join(self.urls), self.origin, secret=True),
        )


def vhost(facts: Facts, endpoint: str) -> str:
    """Return the virtual host that the endpoint's option names, as it stands there; "" when it can be none."""
    name = facts.config.get(endpoint + options.VHOST) or VHOST
    good = isinstance(name, str) and name.isprintable() and len(name.encode()) <= LONGEST
    return str(name) if good else ""


def publish(facts: Facts, relation: Relation, _url: str) -> Publication:
    """Ask for a user named like the application; with the option, anew when its value is another one."""
    name = vhost(facts, relation.endpoint)
    declared = any(option.name == relation.endpoint + options.VHOST for option in facts.options)
    return Publication(app={"username": facts.app, "vhost": name}, once=not declared) if name else Publication()


def complete(bag: Bag) -> bool:
    """Whether a bag has what makes a URL."""
    return bool(bag.get("password")) and urls.is_host(urls.bracketed(bag.get("hostname", "")))


def parse(relation: Relation) -> Broker | NotReady:
    """Read the application's bag, else the units', in the order of their numbers so that it is always the same."""
    bags = [relation.bag] if complete(relation.bag) else [bag for _, bag in by_number(relation.units) if complete(bag)]
    if not bags:
        return NotReady("no hostname and password yet")
    if not relation.local_app:
        return NotReady("no username yet")
    found = (
        urls.build("amqp", relation.local_app, bag["password"], f"{urls.bracketed(bag['hostname'])}:{PORT}", VHOST)
        for bag in bags
    )
    prefix = endpoints.prefix_of(endpoints.RABBITMQ, relation.endpoint)
    return Broker(tuple(found), prefix, f"integration {relation.endpoint}")


def settle(facts: Facts, relation: Relation, value: Value | NotReady) -> Value | NotReady:
    """Add the virtual host that was asked for."""
    name = vhost(facts, relation.endpoint)
    if not name:
        option = relation.endpoint + options.VHOST
        return NotReady(f"{option} can be no virtual host's name", fix=f"juju config {facts.app} {option}={facts.app}")
    if not isinstance(value, Broker) or name == VHOST:
        return value
    found = (url.rpartition("/")[0] + "/" + urls.encoded(name) for url in value.urls)
    return value._replace(urls=tuple(found), vhost=name)


def reads_units(bag: Bag) -> bool:
    """Whether the units' bags matter: the application's has nothing."""
    return not complete(bag)


INTERFACE = Interface(
    name=endpoints.RABBITMQ.name,
    provider="rabbitmq-k8s",
    publish=publish,
    parse=parse,
    settle=settle,
    reads_units=reads_units,
)
