"""Databags of the other side: complete, partial, garbled."""

# Tables read best with a row in a line.
# ruff: noqa: E501

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.charm.facts import Relation
from nuages.charm.interfaces import REGISTRY, ingress, postgresql
from nuages.charm.interfaces.base import NotReady
from nuages.charm.interfaces.database import Database
from nuages.charm.interfaces.ingress import Route
from tests.charm.made import DATABASE, URI


def read(bag: Mapping[str, str], secret: Mapping[str, str] | None = None) -> Database | NotReady:
    return postgresql.parse(DATABASE._replace(bag=bag, secrets={URI: secret} if "secret-user" in bag else {}))


def test_url_of_the_provider_is_used_as_it_is() -> None:
    found = postgresql.parse(DATABASE)
    assert isinstance(found, Database)
    assert found.url == "postgresql://u:pw-of-u@db:5432/notes"
    assert found.variables[0].name == "POSTGRESQL_DB_CONNECT_STRING"


def test_url_is_built_with_everything_encoded() -> None:
    found = read(
        {"endpoints": "a:1,b:2", "secret-user": URI, "database": "no/tes"}, {"username": "u@", "password": "p:/%é"}
    )
    assert isinstance(found, Database)
    assert found.url == "postgresql://u%40:p%3A%2F%25%C3%A9@a:1/no%2Ftes"


def test_credentials_without_a_secret() -> None:
    found = read({"endpoints": "db:5432", "username": "u", "password": "p", "database": "d"})
    assert isinstance(found, Database)


@pytest.mark.parametrize(
    ("bag", "secret", "reason"),
    [
        ({}, None, "no credentials yet"),
        ({"endpoints": "db:5432"}, None, "no credentials yet"),
        ({"secret-user": URI, "endpoints": "db:5432"}, None, "its secret cannot be read yet"),
        ({"secret-user": URI, "endpoints": "db:5432"}, {"password": "p"}, "no credentials yet"),
        ({"secret-user": URI}, {"username": "u", "password": "p"}, "no endpoints yet"),
        ({"subordinated": "true", "username": "u", "password": "p", "endpoints": "e"}, None, "its units are not ready yet"),
    ],
)  # fmt: skip
def test_database_not_ready_because(bag: dict[str, str], secret: Any, reason: str) -> None:
    assert read(bag, secret) == NotReady(reason)


def route(text: str) -> Route | NotReady:
    return ingress.parse(Relation("ingress", "ingress", 9, "traefik-k8s", {"ingress": text}, {}, {}))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://10.43.8.34/mymodel-myapp", "http://10.43.8.34/mymodel-myapp"),
        ("https://Notes.Example", "https://notes.example/"),
        ("http://mymodel-myapp.host/", "http://mymodel-myapp.host/"),
        ("http://[::1]:8000", "http://[::1]:8000/"),
    ],
)
def test_url_of_the_route(url: str, expected: str) -> None:
    assert route(json.dumps({"url": url})) == Route(expected)


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"url": null}', "{", '{"url": "x"}', '{"url": "ftp://x/"}'])
def test_route_not_ready(text: str) -> None:
    assert isinstance(route(text), NotReady)


BAGS = st.dictionaries(
    st.sampled_from(["ingress", "secret-user", "endpoints", "uris", "username", "password", "database", "subordinated"])
    | st.text(max_size=8),
    st.text() | st.sampled_from([URI, "true", "null", "{}", '{"url": "http://a"}', "a:1,b:2", "http://["]),
)


@given(BAGS, st.none() | st.dictionaries(st.sampled_from(["username", "password", "uris"]), st.text()))
def test_hostile_databags_never_raise(bag: dict[str, str], secret: dict[str, str] | None) -> None:
    for interface in REGISTRY:
        uris = interface.secrets(bag)
        value = interface.parse(
            Relation("x", interface.name, 1, "other", bag, {"other/0": bag}, dict.fromkeys(uris, secret))
        )
        if not isinstance(value, NotReady):
            assert all("\0" not in variable.name for variable in value.variables)
