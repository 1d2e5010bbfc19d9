"""The databag of valkey_client, against the library that Charmhub's valkey and its requirers use."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.charm.interfaces import valkey as charm_side
from nuages.charm.interfaces.base import NotReady
from nuages.services.driver import Refused
from nuages.services.valkey import answer
from tests.charm.interfaces.examples import example
from tests.charm.made import facts
from tests.services.valkey import official

ONE = {"resource": "*", "request-id": "d0c352f7d809734b", "salt": "xqbPuYzzl2iiKeyN"}
TWO = {"resource": "jobs:*", "request-id": "aaaabbbbccccdddd", "salt": "0123456789abcdef"}
SERVER = answer.Server("valkey")


def version_1(*requests: dict[str, Any]) -> dict[str, str]:
    return {"version": "v1", "requests": json.dumps(list(requests))}


def answered(request: dict[str, str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return our databag, and the content of the secrets by URI."""
    requests = answer.parse(official.RELATION, "notes", request, {})
    contents: dict[str, dict[str, str]] = {}
    uris: dict[str, dict[str, str]] = {}
    for item in requests:
        for group, content in answer.secrets(item, "pw-of-it").items():
            uri = f"secret:{len(contents):0>20}"
            contents[uri] = content
            uris.setdefault(item.user, {})[group] = uri
    return answer.answer(requests, uris, SERVER), contents


def told(bag: dict[str, str], contents: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return a databag with what its JSON says, secrets by their content, and a drawn salt by its length."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: "a salt" if key == "salt" else plain(item) for key, item in value.items()}
        if isinstance(value, list):
            return [plain(item) for item in value]
        return contents.get(value, value) if isinstance(value, str) else value

    document: dict[str, Any] = {}
    for key, text in bag.items():
        document[key] = json.loads(text) if key in ("data", "requests") else text
    return plain(document)


@pytest.mark.parametrize(
    "request_",
    [
        version_1(ONE),
        version_1(ONE, TWO),
        {"database": "*", "requested-secrets": '["username", "password"]'},
        {"database": "*"},
        {"prefix": "notes:*", "salt": "aaaaaaaaaaaaaaaa"},
    ],
    ids=["v1", "v1-two", "v0", "v0-plain", "v0-prefix"],
)
def test_it_is_what_charmhubs_charm_would_say(request_: dict[str, str]) -> None:
    assert told(*answered(request_)) == told(*official.provided(request_))


def test_the_official_requirer_reads_it() -> None:
    request = official.asked()
    (response,) = official.read(request, *answered(request))
    (asked,) = json.loads(request["requests"])
    assert response.request_id == asked["request-id"]
    assert (response.username, response.password) == (f"relation-7-{asked['request-id']}", "pw-of-it")
    assert (response.endpoints, response.mode) == ("valkey-primary:6379", "sentinel")
    assert response.tls is False


def test_our_own_charm_reads_it() -> None:
    for request in (
        dict(charm_side.publish(facts(model_uuid="m"), example("valkey", bag={}), "").app),
        {"database": "*"},
    ):
        bag, contents = answered(request)
        value = charm_side.parse(example("valkey", bag=bag)._replace(secrets=contents))
        assert not isinstance(value, NotReady), value
        found = {variable.name: variable.value for variable in value.variables}
        (user,) = [content["username"] for content in contents.values() if "username" in content]
        assert found["VALKEY_DB_CONNECT_STRING"] == f"valkey://{user}:pw-of-it@valkey-primary:6379"
        assert found["VALKEY_DB_SENTINEL_ENDPOINTS"] == "valkey-0.valkey-endpoints:26379"


def test_no_password_is_in_the_databag() -> None:
    assert "pw-of-it" not in json.dumps(answered(version_1(ONE, TWO))[0])


def test_nothing_is_asked_yet() -> None:
    for bag in ({}, {"version": "v1"}, {"version": "v1", "requests": "[]"}, {"requested-secrets": "[]"}):
        assert answer.parse(7, "notes", bag, {}) == ()
    assert answer.answer((), {}, SERVER) == {}


def test_what_is_forgotten_with_a_relation_is_what_was_answered() -> None:
    for request in (version_1(ONE, TWO), {"database": "*"}):
        labels = [item.label(answer.USER) for item in answer.parse(7, "notes", request, {})]
        bag, _ = answered(request)
        assert [item.label(answer.USER) for item in answer.answered(bag, 7)] == labels


@pytest.mark.parametrize(
    ("bag", "reason"),
    [
        ({"version": "v1", "requests": "{"}, "not a JSON list"),
        ({"version": "v1", "requests": "{}"}, "not a JSON list"),
        ({"version": "v1", "requests": "[" * 100_000}, "not a JSON list"),
        (version_1("x"), "not an object"),  # pyright: ignore[reportArgumentType]  # what a broken charm sends
        (version_1({**ONE, "resource": None}), "no pattern can name: None"),
        (version_1({**ONE, "resource": "a b"}), "no pattern can name: 'a b'"),
        (version_1({**ONE, "resource": "*\nuser x on nopass ~* +@all"}), "no pattern can name"),
        (version_1({**ONE, "request-id": "x on nopass"}), "request-id is not made of"),
        ({"database": "é"}, "no pattern can name: 'é'"),
    ],
)
def test_what_is_not_to_be_had_is_refused_with_the_requirers_name(bag: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused, match=r"^notes (asks|sent) ") as refusal:
        answer.parse(7, "notes", bag, {})
    assert reason in str(refusal.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["resource", "request-id", "salt", "x"]), inner, max_size=4)
    ),
)


@given(
    st.dictionaries(st.sampled_from(["version", "database", "prefix", "salt", "requests"]), st.text(max_size=40)),
    JSON,
    st.booleans(),
)
def test_any_databag_is_answered_refused_or_not_yet_one(bag: dict[str, str], document: Any, first: bool) -> None:
    if first:
        bag = {"version": "v1", "requests": json.dumps(document)}
    try:
        requests = answer.parse(7, "notes", bag, {})
    except Refused:
        return
    if requests:
        uris = {item.user: dict.fromkeys(answer.GROUPS, "secret:x") for item in requests}
        assert answer.answer(requests, uris, SERVER) == answer.answer(requests, uris, SERVER)
