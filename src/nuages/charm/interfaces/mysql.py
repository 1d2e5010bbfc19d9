"""MySQL: the `mysql_client` interface. The MySQL charms give no URL, and hosts that end with a dot: it stays."""

from nuages.charm.facts import Relation
from nuages.charm.interfaces import database
from nuages.charm.interfaces.base import Interface, NotReady
from nuages.contract.endpoints import MYSQL

DIALECT = database.Dialect("mysql", secure=(("ssl-ca", "{ca}"),), plain=())
"""`ssl-ca` is what dj-database-url hands to mysqlclient and PyMySQL; without an authority there is no word for TLS that
both know, and mysqlclient uses TLS by itself where the server has it."""


def parse(relation: Relation) -> database.Database | NotReady:
    """Read the provider's databag."""
    return database.parse(relation, MYSQL, DIALECT)


INTERFACE = Interface(
    name=MYSQL.name,
    provider="mysql-k8s",
    publish=database.publish,
    parse=parse,
    database=True,
    reads_units=database.reads_units,
    files=database.files,
)
