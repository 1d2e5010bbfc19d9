"""MongoDB: the `mongodb_client` interface. Its URL names every member of the replica set."""

import json

from nuages.charm.facts import Facts, Relation
from nuages.charm.interfaces import database
from nuages.charm.interfaces.base import Interface, NotReady, Publication
from nuages.contract.endpoints import MONGODB

DIALECT = database.Dialect(
    "mongodb",
    secure=(("tls", "true"), ("tlsCAFile", "{ca}"), ("tlsAllowInvalidHostnames", "true")),
    plain=(("tls", "true"),),
)
"""In the words of MongoDB's connection strings."""


def publish(facts: Facts, relation: Relation, url: str) -> Publication:
    """Ask for a database; once there is an answer, keep a copy of it where the MongoDB charm looks for it.

    The charm libraries keep such a copy in every unit's bag to find out what has changed, and mongodb-k8s reads
    `secret-user` in it when it removes users. No other provider reads it, and it costs two hook tool calls at the
    events at which bags are compared at all: hence here alone.
    """
    if "secret-user" not in relation.bag:
        return database.publish(facts, relation, url)
    copy = {key: value for key, value in relation.bag.items() if key != "data"}
    return Publication(unit={"data": json.dumps(copy, sort_keys=True)}, once=False)


def parse(relation: Relation) -> database.Database | NotReady:
    """Read the provider's databag."""
    return database.parse(relation, MONGODB, DIALECT)


INTERFACE = Interface(
    name=MONGODB.name,
    provider="mongodb-k8s",
    publish=publish,
    parse=parse,
    database=True,
    reads_units=database.reads_units,
    files=database.files,
)
