"""OpenFGA: the store's name is asked for once; without a store or a token only the URLs are known."""

import pytest
from hypothesis import given, settings

from nuages.charm.interfaces import openfga
from nuages.charm.interfaces.base import NotReady
from tests.charm.interfaces.examples import THOROUGH, example, parse, variables
from tests.charm.interfaces.hostile import TEXT, check
from tests.charm.made import facts

KEYS = ("store_id", "token", "token_secret_id", "grpc_api_url", "http_api_url")


def test_name_that_was_asked_for_stays() -> None:
    publication = openfga.publish(facts(), example("openfga"), "")
    assert publication.once
    assert publication.app == {"store_name": "notes"}


@pytest.mark.parametrize("key", ["grpc_api_url", "http_api_url"])
def test_urls_are_waited_for(key: str) -> None:
    relation = example("openfga")
    assert parse(relation._replace(bag={**relation.bag, key: ""})) == NotReady("no API URLs yet")


@pytest.mark.parametrize(
    ("changes", "reason", "missing"),
    [
        ({"store_id": ""}, "no store yet", {"FGA_STORE_ID"}),
        ({"token_secret_id": "secret:other"}, "its secret cannot be read yet", {"FGA_TOKEN"}),
    ],
)
def test_what_is_known_serves_an_optional_endpoint(changes: dict[str, str], reason: str, missing: set[str]) -> None:
    relation = example("openfga")
    value = parse(relation._replace(bag={**relation.bag, **changes}))
    assert isinstance(value, NotReady)
    assert value.reason == reason
    assert value.partial is not None
    assert {variable.name for variable in value.partial.variables} == set(variables(relation)) - missing


def test_secret_without_a_token() -> None:
    relation = example("openfga")
    value = parse(relation._replace(secrets={uri: {"other": "x"} for uri in relation.secrets}))
    assert isinstance(value, NotReady)
    assert value.reason == "its secret has no token"


@THOROUGH
def test_what_comes_in_comes_out(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(TEXT, TEXT, TEXT)
    def holds(store: str, token: str, grpc: str) -> None:
        bag = {**example("openfga").bag, "store_id": store, "token_secret_id": "secret:a", "grpc_api_url": grpc}
        found = variables(example("openfga", bag=bag, secrets={"secret:a": {"token": token}}))
        assert (found["FGA_STORE_ID"], found["FGA_TOKEN"], found["FGA_GRPC_API_URL"]) == (store, token, grpc)

    holds()


@THOROUGH
def test_nothing_in_a_databag_raises(examples: int) -> None:
    check("openfga", KEYS, examples)
