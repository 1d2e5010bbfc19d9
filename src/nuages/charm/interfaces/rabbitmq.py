"""RabbitMQ: the `rabbitmq` interface. rabbitmq-k8s answers in its application's bag, rabbitmq-server in its units'."""

from nuages.charm import urls
from nuages.charm.facts import Bag, Facts, Relation
from nuages.charm.interfaces.base import Interface, NotReady, Publication, by_number
from nuages.charm.variables import Variable
from nuages.contract import endpoints
from nuages.contract.row import NamedTuple

VHOST = "/"
PORT = 5672
"""The providers do not tell it."""


class Broker(NamedTuple):
    """A broker to use."""

    urls: tuple[str, ...]
    """One for each unit that answered, else one for the application; the first is the one to use."""
    prefix: str
    origin: str

    @property
    def variables(self) -> tuple[Variable, ...]:
        """`RABBITMQ_CONNECT_STRING`, the parts of the URL, the virtual host, and every unit's URL."""
        return (
            *urls.variables(self.prefix, self.urls[0], self.origin),
            Variable(f"{self.prefix}_VHOST", VHOST, self.origin),
            Variable(f"{self.prefix}_CONNECT_STRINGS", ",".join(self.urls), self.origin, secret=True),
        )


def publish(facts: Facts, _relation: Relation, _url: str) -> Publication:
    """Ask for a user named like the application."""
    return Publication(app={"username": facts.app, "vhost": VHOST})


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


def reads_units(bag: Bag) -> bool:
    """Whether the units' bags matter: the application's has nothing."""
    return not complete(bag)


INTERFACE = Interface(
    name=endpoints.RABBITMQ.name,
    provider="rabbitmq-k8s",
    publish=publish,
    parse=parse,
    reads_units=reads_units,
)
