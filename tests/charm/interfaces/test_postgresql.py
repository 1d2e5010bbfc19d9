"""PostgreSQL: what libpq makes of the URL."""

from psycopg import conninfo

from nuages.charm.interfaces.base import NotReady
from tests.charm.interfaces.examples import example, parse, variables


def test_the_driver_understands_the_url() -> None:
    found = variables(example("postgresql-by-tls"))
    parts = conninfo.conninfo_to_dict(found["POSTGRESQL_DB_CONNECT_STRING"])
    assert parts["sslmode"] == "verify-ca"
    assert parts["sslrootcert"] == found["POSTGRESQL_DB_TLS_CA"]
    assert (parts["user"], parts["password"], parts["dbname"]) == ("relation_id_7", "Zq3", "myapp")


def test_empty_bag_is_waited_for() -> None:
    assert parse(example("postgresql", bag={}, secrets={})) == NotReady("no credentials yet")


def test_driver_reads_escaped_credentials() -> None:
    found = variables(example("postgresql-without-secrets"))["POSTGRESQL_DB_CONNECT_STRING"]
    parts = conninfo.conninfo_to_dict(found)
    assert (parts["user"], parts["password"]) == ("u@x", "p:/%ä")
