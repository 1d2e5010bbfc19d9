"""The answer on mysql_client, as Charmhub's mysql-k8s gives it, and read by both sides' code."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from dpcharmlibs.interfaces import DataContractV0, OpsRelationRepositoryInterface
from hypothesis import given
from hypothesis import strategies as st
from ops import CharmBase, testing

from nuages.charm.facts import Relation
from nuages.charm.interfaces import mysql
from nuages.services.driver import Answer, Refused
from nuages.services.mysql.answer import Server, answer, parse
from nuages.services.mysql.users import user_of

MODEL = "4d2a3c8e-0f4c-4b9e-8a6b-000000000000"
SERVER = Server("mysql-k8s", "mymodel", "8.0.41-0ubuntu0.22.04.1")
REQUIRER = {
    "database": "myapp",
    "requested-secrets": '["username","password","tls","tls-ca","uris","read-only-uris"]',
    "provided-secrets": '["mtls-cert"]',
}


def answered(bag: Mapping[str, str], relation: int = 5) -> Answer:
    request = parse(user_of(relation, MODEL), "myapp", bag, {})
    assert request is not None
    return answer(request, "Ab9", SERVER)


def test_a_django_charm_gets_what_the_reference_shows() -> None:
    given = answered(REQUIRER)
    assert json.loads(given.databag["data"]) == REQUIRER
    assert {key: value for key, value in given.databag.items() if key != "data"} == {
        "database": "myapp",
        "endpoints": "mysql-k8s-primary.mymodel.svc.cluster.local.:3306",
        "read-only-endpoints": "mysql-k8s-replicas.mymodel.svc.cluster.local.:3306",
        "version": "8.0.41-0ubuntu0.22.04.1",
    }
    assert given.secrets == {"secret-user": {"username": "relation-5_4d2a3c8e0f4c4b9", "password": "Ab9"}}


def test_users_names_fit_whatever_the_relations_number() -> None:
    assert {len(user_of(number, MODEL)) for number in (1, 77, 1234567)} == {26}


def test_our_charm_makes_a_working_connect_string_of_it() -> None:
    given = answered(REQUIRER)
    bag = {**given.databag, "secret-user": "secret:x"}
    relation = Relation(
        id=5,
        endpoint="mysql",
        interface="mysql_client",
        app="mysql-k8s",
        bag=bag,
        units={},
        secrets={"secret:x": dict(given.secrets["secret-user"])},
    )
    variables = {variable.name: variable.value for variable in mysql.parse(relation).variables}
    assert variables["MYSQL_DB_CONNECT_STRING"] == (
        "mysql://relation-5_4d2a3c8e0f4c4b9:Ab9@mysql-k8s-primary.mymodel.svc.cluster.local.:3306/myapp"
    )
    assert variables["MYSQL_DB_HOSTNAME"] == "mysql-k8s-primary.mymodel.svc.cluster.local."


def test_the_official_requirer_library_reads_it() -> None:
    given = answered({"database": "myapp", "requested-secrets": '["username", "password", "uris"]'})
    secret = testing.Secret(tracked_content=dict(given.secrets["secret-user"]))
    bag = {**given.databag, "secret-user": secret.id}
    relation = testing.Relation("db", remote_app_data=bag)
    metadata = {"name": "myapp", "requires": {"db": {"interface": "mysql_client"}}}
    context = testing.Context(CharmBase, metadata)
    with context(context.on.update_status(), testing.State(relations=[relation], secrets=[secret])) as manager:
        model = manager.charm.model
        reader = OpsRelationRepositoryInterface(model, "db", DataContractV0)
        read = reader.build_model(relation.id, DataContractV0, component=model.relations["db"][0].app)
    assert (read.username, read.password) == ("relation-5_4d2a3c8e0f4c4b9", "Ab9")
    assert read.endpoints == "mysql-k8s-primary.mymodel.svc.cluster.local.:3306"


def test_without_requested_secrets_credentials_are_plain_as_on_charmhub() -> None:
    given = answered({"database": "myapp"})
    assert given.secrets == {}
    assert (given.databag["username"], given.databag["password"]) == ("relation-5_4d2a3c8e0f4c4b9", "Ab9")


def test_a_password_in_a_secret_is_not_in_the_databag() -> None:
    given = answered({"database": "myapp", "requested-secrets": '["username", "password"]'})
    assert "Ab9" not in json.dumps(dict(given.databag))


def test_nothing_is_asked_before_a_database_is_named() -> None:
    assert parse("u", "myapp", {"requested-secrets": "[]"}, {}) is None


def test_the_first_name_counts() -> None:
    request = parse("u", "myapp", {"database": "other"}, {"database": "myapp"})
    assert request is not None
    assert request.database == "myapp"


@pytest.mark.parametrize(
    ("bag", "reason"),
    [
        ({"database": "mysql"}, "cannot be named 'mysql'"),
        ({"database": "MySQL"}, "cannot be named 'MySQL'"),
        ({"database": "a b"}, "cannot be named 'a b'"),
        ({"database": "x" * 65}, "more than 64 characters"),
        ({"database": "a_" * 22}, "more than 64 characters, of which _ is two"),
        ({"database": "ok", "extra-user-roles": "mysqlrouter,wizard"}, "the user role 'wizard': there are mysqlrouter"),
        ({"database": "ok", "requested-secrets": "{"}, "not a JSON list"),
        ({"database": "ok", "requested-secrets": "{}"}, "not a JSON list"),
        ({"database": "ok", "requested-secrets": "[" * 100_000}, "not a JSON list"),
    ],
)
def test_what_is_not_to_be_had_is_refused_with_the_requirers_name(bag: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused, match=r"^myapp (asks|sent) ") as refusal:
        parse("u", "myapp", bag, {})
    assert reason in str(refusal.value)


KEYS = st.sampled_from(["database", "requested-secrets", "extra-user-roles", "provided-secrets"])


@given(st.dictionaries(KEYS, st.text(max_size=60)))
def test_any_databag_is_answered_refused_or_not_yet_one(bag: dict[str, str]) -> None:
    try:
        request = parse("u", "myapp", bag, {})
    except Refused:
        return
    if request is not None:
        assert answer(request, "Ab9", SERVER) == answer(request, "Ab9", SERVER)
