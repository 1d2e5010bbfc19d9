"""PostgreSQL: the `postgresql_client` interface."""

from nuages.charm.facts import Relation
from nuages.charm.interfaces import database
from nuages.charm.interfaces.base import Interface, NotReady
from nuages.contract.endpoints import POSTGRESQL

DIALECT = database.Dialect(
    "postgresql",
    secure=(("sslmode", "verify-ca"), ("sslrootcert", "{ca}")),
    plain=(("sslmode", "require"),),
)
"""In libpq's words, which psycopg and dj-database-url pass on."""


def parse(relation: Relation) -> database.Database | NotReady:
    """Read the provider's databag."""
    return database.parse(relation, POSTGRESQL, DIALECT)


INTERFACE = Interface(
    name=POSTGRESQL.name,
    provider="postgresql-k8s",
    publish=database.publish,
    parse=parse,
    database=True,
    reads_units=database.reads_units,
    files=database.files,
)
