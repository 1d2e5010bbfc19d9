"""The databag of mongodb_client: golden, and read by the official library and by our own charm."""

from __future__ import annotations

import json

import pytest
from dpcharmlibs.interfaces import DataContractV0, OpsRelationRepositoryInterface
from hypothesis import given
from hypothesis import strategies as st
from ops import CharmBase, testing

from nuages.charm.interfaces import mongodb as charm_side
from nuages.charm.interfaces.base import NotReady
from nuages.services.driver import Answer, Refused
from nuages.services.mongodb.answer import answer, parse, users
from tests.charm.interfaces.examples import example
from tests.charm.made import facts

REQUIRER = {
    "database": "myapp",
    "requested-secrets": '["username","password","tls","tls-ca","uris"]',
    "provided-secrets": '["mtls-cert"]',
}
URI = "mongodb://relation-9:Cd8@mongodb-k8s-0.mongodb-k8s-endpoints:27017/myapp?authSource=admin"


def answered(bag: dict[str, str], relation: int = 9) -> Answer:
    request = parse(relation, "myapp", bag, {})
    assert request is not None
    return answer(request, users(relation)[0], "Cd8", "mongodb-k8s")


def test_a_django_charm_gets_what_charmhubs_says_but_no_replica_set() -> None:
    given = answered(REQUIRER)
    assert json.loads(given.databag["data"]) == REQUIRER
    assert {key: value for key, value in given.databag.items() if key != "data"} == {
        "database": "myapp",
        "endpoints": "mongodb-k8s-0.mongodb-k8s-endpoints",
    }
    assert given.secrets == {"secret-user": {"username": "relation-9", "password": "Cd8", "uris": URI}}


def test_the_official_requirer_library_reads_it() -> None:
    given = answered(REQUIRER)
    secret = testing.Secret(tracked_content=dict(given.secrets["secret-user"]))
    relation = testing.Relation("db", remote_app_data={**given.databag, "secret-user": secret.id})
    metadata = {"name": "myapp", "requires": {"db": {"interface": "mongodb_client"}}}
    context = testing.Context(CharmBase, metadata)
    with context(context.on.update_status(), testing.State(relations=[relation], secrets=[secret])) as manager:
        model = manager.charm.model
        remote = model.relations["db"][0].app
        reader = OpsRelationRepositoryInterface(model, "db", DataContractV0)
        read = reader.build_model(relation.id, DataContractV0, component=remote)
    assert (read.username, read.password, read.uris) == ("relation-9", "Cd8", URI)
    assert read.endpoints == "mongodb-k8s-0.mongodb-k8s-endpoints"


def test_our_own_charm_reads_it() -> None:
    request = dict(charm_side.publish(facts(app="myapp"), example("mongodb", bag={}), "").app)
    given = answered(request)
    bag = {**given.databag, "secret-user": "secret:0"}
    relation = example("mongodb", bag=bag)._replace(secrets={"secret:0": dict(given.secrets["secret-user"])})
    value = charm_side.parse(relation)
    assert not isinstance(value, NotReady), value
    found = {variable.name: variable.value for variable in value.variables}
    assert found["MONGODB_DB_CONNECT_STRING"] == URI
    assert (found["MONGODB_DB_NAME"], found["MONGODB_DB_PORT"]) == ("myapp", "27017")


def test_without_requested_secrets_credentials_are_plain_as_on_charmhub() -> None:
    given = answered({"database": "myapp"})
    assert given.secrets == {}
    assert (given.databag["username"], given.databag["password"]) == ("relation-9", "Cd8")
    assert given.databag["uris"] == URI


def test_a_field_that_was_not_requested_is_not_leaked_into_the_databag() -> None:
    given = answered({"database": "myapp", "requested-secrets": '["username", "password"]'})
    assert given.secrets == {"secret-user": {"username": "relation-9", "password": "Cd8"}}
    assert "Cd8" not in json.dumps(dict(given.databag))


def test_nothing_is_asked_before_a_database_is_named() -> None:
    assert parse(9, "myapp", {"requested-secrets": "[]"}, {}) is None


def test_the_first_name_counts() -> None:
    request = parse(9, "myapp", {"database": "other"}, {"database": "myapp"})
    assert request is not None
    assert request.database == "myapp"


@pytest.mark.parametrize(
    ("bag", "reason"),
    [
        ({"database": "admin"}, "database that cannot be named 'admin'"),
        ({"database": "a/../b"}, "database that cannot be named 'a/../b'"),
        ({"database": "x" * 64}, "database that cannot be named"),
        ({"database": "a", "extra-user-roles": "admin"}, "user role 'admin': there is default"),
        ({"database": "a", "requested-secrets": "{"}, "not a JSON list"),
        ({"database": "a", "requested-secrets": "[" * 100_000}, "not a JSON list"),
    ],
)
def test_what_is_not_to_be_had_is_refused_with_the_requirers_name(bag: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused, match=r"^notes (asks|sent) ") as refusal:
        parse(9, "notes", bag, {})
    assert reason in str(refusal.value)


@given(
    st.dictionaries(
        st.sampled_from(["database", "requested-secrets", "extra-user-roles", "data"]), st.text(max_size=40), max_size=4
    )
)
def test_any_databag_is_answered_refused_or_not_yet_one(bag: dict[str, str]) -> None:
    try:
        request = parse(9, "notes", bag, {})
    except Refused:
        return
    if request:
        first, again = (answer(request, "relation-9", "Cd8", "mongodb-k8s") for _ in range(2))
        assert first == again
