"""Valkey: requests and answers in JSON (version 1), or flat (version 0)."""

import hashlib
import json
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm import urls
from nuages.charm.interfaces import usable, valkey
from nuages.charm.interfaces.base import NotReady
from tests.charm.interfaces.examples import THOROUGH, example, parse, variables
from tests.charm.made import URI, facts


def answered(answer: Any, secret: dict[str, str] | None = None) -> Any:
    text = answer if isinstance(answer, str) else json.dumps([answer])
    return parse(example("valkey", bag={"version": "v1", "requests": text}, secrets={URI: secret}))


COMPLETE = {"resource": "*", "endpoints": "a:6379", "secret-user": URI}
USER = {"username": "u", "password": "p"}


def test_request_is_as_the_protocol_wants_it_and_the_same_for_every_leader() -> None:
    relation = example("valkey", bag={})
    publication = valkey.publish(facts(model_uuid="m"), relation, "")
    (request,) = json.loads(publication.app["requests"])
    assert request["request-id"] == hashlib.sha256(f"*:{request['salt']}".encode()).hexdigest()[:16]
    assert len(request["salt"]) == 16
    assert request["salt"].isalnum()
    assert valkey.publish(facts(model_uuid="m", unit="notes/1"), relation, "") == publication
    assert valkey.publish(facts(model_uuid="m"), relation._replace(id=8), "") != publication
    assert publication.once


@pytest.mark.parametrize(
    ("answer", "secret", "reason"),
    [
        ("", None, "no endpoints yet"),
        ("[]", None, "no endpoints yet"),
        ("{}", None, "no endpoints yet"),
        ("[null, 3]", None, "no endpoints yet"),
        ({"endpoints": None}, None, "no endpoints yet"),
        ({**COMPLETE, "endpoints": " "}, USER, "no endpoints yet"),
        (COMPLETE, None, "its secret cannot be read yet"),
        (COMPLETE, {"password": "p"}, "no credentials yet"),
    ],
)
def test_not_ready_because(answer: Any, secret: dict[str, str] | None, reason: str) -> None:
    assert answered(answer, secret) == NotReady(reason)


def test_answer_to_a_request_with_another_salt_is_ours_too() -> None:
    """The runtime before ours drew its salt, and what was asked is never written anew."""
    assert valkey.publish(facts(), example("valkey"), "").once
    assert variables(example("valkey"))["VALKEY_DB_USERNAME"] == "relation-3-d0c352f7d809734b"


def test_fields_that_are_left_out_are_empty_variables() -> None:
    found = {variable.name: variable.value for variable in answered(COMPLETE, USER).variables}
    assert found["VALKEY_DB_CONNECT_STRING"] == "valkey://u:p@a:6379"
    assert {found[f"VALKEY_{name}"] for name in ("MODE", "VERSION", "DB_READ_ONLY_ENDPOINTS")} == {""}
    assert "VALKEY_DB_TLS" not in found


def test_several_endpoints_are_all_in_the_url() -> None:
    found = {
        variable.name: variable.value for variable in answered({**COMPLETE, "endpoints": "a:1,b:2"}, USER).variables
    }
    assert found["VALKEY_DB_NETLOC"] == "u:p@a:1,b:2"
    assert (found["VALKEY_DB_HOSTNAME"], found["VALKEY_DB_PORT"]) == ("a", "1")


def test_endpoint_of_another_name_gives_its_prefix() -> None:
    found = variables(example("valkey", endpoint="cache"))
    assert found["CACHE_MODE"] == found["CACHE_DB_MODE"] == "sentinel"
    assert not any(name.startswith("VALKEY") for name in found)


@THOROUGH
def test_what_comes_in_comes_out(examples: int) -> None:
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
    hosts = st.sampled_from(["valkey-primary:6379", "[::1]:6379", "10.0.0.1:1"])

    @settings(max_examples=examples, deadline=None)
    @given(text, text, hosts, st.booleans())
    def holds(username: str, password: str, host: str, flat: bool) -> None:
        answer = {"endpoints": host, "secret-user": URI}
        bag = answer if flat else {"version": "v1", "requests": json.dumps([answer])}
        secret = {"username": username, "password": password}
        assert valkey.secrets(bag) == (URI,)
        found = variables(example("valkey", bag=bag, secrets={URI: secret}))
        url = urls.parse(found["VALKEY_DB_CONNECT_STRING"])
        assert unquote(url.username or "") == username
        assert unquote(url.password or "") == password
        assert url.netloc.rpartition("@")[2] == host

    holds()


@THOROUGH
def test_nothing_in_a_databag_raises(examples: int) -> None:
    fields = st.sampled_from(
        [
            "endpoints",
            "read-only-endpoints",
            "secret-user",
            "secret-tls",
            "tls",
            "tls-ca",
            "username",
            "password",
            "mode",
        ]
    )
    words = st.text() | st.sampled_from([URI, "true", "a:1", "[", "\0", "\ud800"])
    json_values = st.recursive(st.none() | st.booleans() | st.floats() | words, st.lists, max_leaves=4)
    answers = st.lists(st.dictionaries(fields, words | json_values) | json_values, max_size=3).map(json.dumps)
    bags = st.dictionaries(fields, words) | st.builds(lambda text: {"requests": text}, answers | st.text())

    @settings(max_examples=examples, deadline=None)
    @given(bags, st.none() | st.dictionaries(fields, words))
    def holds(bag: dict[str, str], secret: dict[str, str] | None) -> None:
        relation = example("valkey", bag=bag, secrets=dict.fromkeys(valkey.secrets(bag), secret))
        value = usable(valkey.parse(relation))
        if not isinstance(value, NotReady):
            valkey.files(value)
            assert all(variable.value.encode() is not None for variable in value.variables)

    holds()
