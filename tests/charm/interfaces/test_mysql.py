"""MySQL: no URL from the provider, and a secret that is filled bit by bit."""

from nuages.charm import urls
from nuages.charm.interfaces.base import NotReady
from tests.charm.interfaces.examples import example, parse, variables


def test_secret_with_the_password_alone_is_waited_for() -> None:
    relation = example("mysql")
    (uri,) = relation.secrets
    assert parse(relation._replace(secrets={uri: {"password": "Ab9"}})) == NotReady("no credentials yet")


def test_authority_comes_under_the_name_that_dj_database_url_hands_to_the_drivers() -> None:
    found = variables(example("mysql-by-tls"))
    assert found["MYSQL_DB_QUERY"] == f"ssl-ca={found['MYSQL_DB_TLS_CA']}"


def test_tls_without_an_authority_adds_no_parameter_that_a_driver_may_not_know() -> None:
    relation = example("mysql")
    found = variables(relation._replace(bag={**relation.bag, "tls": "true"}))
    assert urls.parse(found["MYSQL_DB_CONNECT_STRING"]).query == ""
    assert found["MYSQL_DB_TLS"] == "true"
