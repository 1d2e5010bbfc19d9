from __future__ import annotations

import json

import pytest
from dpcharmlibs.interfaces import DataContractV0, OpsRelationRepositoryInterface
from hypothesis import given
from hypothesis import strategies as st
from ops import CharmBase, testing

from nuages.services.driver import Answer, Refused
from nuages.services.postgresql.answer import Server, answer, parse

SERVER = Server("postgresql-k8s", "mymodel", 5432, "18.6")
# The requirer's databag of reference/relation-interfaces.md 2.1.
REQUIRER = {
    "database": "myapp",
    "requested-secrets": '["username","password","tls","tls-ca","uris","read-only-uris"]',
    "provided-secrets": '["mtls-cert"]',
}


def answered(bag: dict[str, str], relation: int = 7, server: Server = SERVER) -> Answer:
    request = parse(relation, "myapp", bag, {})
    assert request is not None
    return answer(request, f"relation_id_{relation}", "Zq3", server)


def test_a_django_charm_gets_what_the_reference_shows() -> None:
    given = answered(REQUIRER)
    assert json.loads(given.databag["data"]) == REQUIRER
    assert {key: value for key, value in given.databag.items() if key != "data"} == {
        "database": "myapp",
        "endpoints": "postgresql-k8s-primary.mymodel.svc.cluster.local:5432",
        "read-only-endpoints": "postgresql-k8s-replicas.mymodel.svc.cluster.local:5432",
        "version": "18.6",
    }
    assert given.secrets == {
        "secret-user": {
            "username": "relation_id_7",
            "password": "Zq3",
            "uris": "postgresql://relation_id_7:Zq3@postgresql-k8s-primary.mymodel.svc.cluster.local:5432/myapp",
        },
        "secret-tls": {"tls": "False"},
    }


def test_the_official_requirer_library_reads_it() -> None:
    given = answered({"database": "myapp", "requested-secrets": '["username", "password", "uris"]'})
    secret = testing.Secret(tracked_content=dict(given.secrets["secret-user"]))
    bag = {**given.databag, "secret-user": secret.id}
    del bag["version"]  # the library takes 18.6 (and the charms' own 14.23) for a JSON number
    relation = testing.Relation("db", remote_app_data=bag)
    metadata = {"name": "myapp", "requires": {"db": {"interface": "postgresql_client"}}}
    context = testing.Context(CharmBase, metadata)
    with context(context.on.update_status(), testing.State(relations=[relation], secrets=[secret])) as manager:
        model = manager.charm.model
        remote = model.relations["db"][0].app
        reader = OpsRelationRepositoryInterface(model, "db", DataContractV0)
        read = reader.build_model(relation.id, DataContractV0, component=remote)
    assert (read.username, read.password) == ("relation_id_7", "Zq3")
    assert read.uris == given.secrets["secret-user"]["uris"]
    assert read.endpoints == "postgresql-k8s-primary.mymodel.svc.cluster.local:5432"


def test_without_requested_secrets_credentials_are_plain_as_on_charmhub() -> None:
    given = answered({"database": "myapp"})
    assert given.secrets == {}
    assert given.databag["username"] == "relation_id_7"
    assert given.databag["password"] == "Zq3"
    assert given.databag["tls"] == "False"
    assert given.databag["uris"].endswith("/myapp")


def test_a_field_that_was_not_requested_is_not_leaked_into_the_databag() -> None:
    given = answered({"database": "myapp", "requested-secrets": '["username", "password"]'})
    assert given.secrets == {"secret-user": {"username": "relation_id_7", "password": "Zq3"}}
    assert "Zq3" not in json.dumps(dict(given.databag))


def test_nothing_is_asked_before_a_database_is_named() -> None:
    assert parse(7, "myapp", {"requested-secrets": "[]"}, {}) is None


def test_the_first_name_counts() -> None:
    request = parse(7, "myapp", {"database": "other"}, {"database": "myapp"})
    assert request is not None
    assert request.database == "myapp"


@pytest.mark.parametrize(
    ("bag", "reason"),
    [
        ({"database": "postgres"}, "cannot be named 'postgres'"),
        ({"database": "a b"}, "cannot be named 'a b'"),
        ({"database": "pg_app"}, "cannot be named 'pg_app'"),
        ({"database": "x" * 50}, "more than 49 characters"),
        ({"database": "ok", "extra-user-roles": "CREATEDB,wizard"}, "the user role 'WIZARD': there are SUPERUSER"),
        ({"database": "ok", "requested-secrets": "{"}, "not a JSON list"),
        ({"database": "ok", "requested-secrets": "{}"}, "not a JSON list"),
        ({"database": "ok", "requested-secrets": "[" * 100_000}, "not a JSON list"),
    ],
)
def test_what_is_not_to_be_had_is_refused_with_the_requirers_name(bag: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused, match=r"^myapp (asks|sent) ") as refusal:
        parse(7, "myapp", bag, {})
    assert reason in str(refusal.value)


def test_user_roles_are_read_whatever_their_case() -> None:
    request = parse(7, "myapp", {"database": "a", "extra-user-roles": " createdb , SuperUser"}, {})
    assert request is not None
    assert request.attributes == {"CREATEDB", "SUPERUSER"}


KEYS = st.sampled_from(["database", "requested-secrets", "extra-user-roles", "provided-secrets"])


@given(st.dictionaries(KEYS, st.text(max_size=60)))
def test_any_databag_is_answered_refused_or_not_yet_one(bag: dict[str, str]) -> None:
    try:
        request = parse(7, "myapp", bag, {})
    except Refused:
        return
    if request is not None:
        assert answer(request, "u", "Zq3", SERVER) == answer(request, "u", "Zq3", SERVER)


def test_with_tls_the_authority_is_told() -> None:
    server = Server("postgresql-k8s", "mymodel", 5432, "18.6", authority="PEM")
    assert answered(REQUIRER, server=server).secrets["secret-tls"] == {"tls": "True", "tls-ca": "PEM"}
