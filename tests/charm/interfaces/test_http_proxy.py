"""Forward proxies: one request, one answer, credentials in the URL."""

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm import environment, options, urls
from nuages.charm.interfaces import http_proxy, usable
from nuages.charm.interfaces.base import NotReady
from tests.charm.interfaces.examples import THOROUGH, example, parse, variables
from tests.charm.made import URI, facts

ANSWER = {"status": "ready", "auth": "none", "http_proxy": "http://Squid:3128", "https_proxy": "http://squid:3129/"}


def answered(answer: Any, secret: dict[str, str] | None = None) -> Any:
    text = answer if isinstance(answer, str) else json.dumps([answer])
    return parse(example("http-proxy", bag={"responses": text}, secrets={URI: secret}))


def test_identifier_is_a_uuid_of_version_4_and_the_same_for_every_leader() -> None:
    relation = example("http-proxy", bag={})
    publication = http_proxy.publish(facts(model_uuid="m"), relation, "")
    (request,) = json.loads(publication.app["requests"])
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", request["requirer"])
    assert http_proxy.publish(facts(model_uuid="m", unit="notes/1", leader=False), relation, "") == publication
    assert http_proxy.publish(facts(model_uuid="m"), relation._replace(id=8), "") != publication
    assert publication.once


@pytest.mark.parametrize("status", ["rejected", "invalid", "unsupported", "error"])
def test_refusal_is_told(status: str) -> None:
    assert answered({"status": status}) == NotReady(f"its answer is {status}")


@pytest.mark.parametrize(
    ("answer", "secret", "reason"),
    [
        ("", None, "no proxy yet"),
        ("{}", None, "no proxy yet"),
        ("[[]]", None, "no proxy yet"),
        ({"status": "pending"}, None, "no proxy yet"),
        ({"status": "ready"}, None, "no proxy yet"),
        ({"status": "ready", "http_proxy": "squid:3128"}, None, "no proxy yet"),
        ({**ANSWER, "user": URI}, None, "its secret cannot be read yet"),
        ({**ANSWER, "user": URI}, {"username": "u"}, "no credentials yet"),
        ({**ANSWER, "user": "{}"}, None, "its secret cannot be read yet"),
    ],
)
def test_not_ready_because(answer: Any, secret: dict[str, str] | None, reason: str) -> None:
    assert answered(answer, secret) == NotReady(reason)


def test_without_a_user_the_url_ends_in_a_slash() -> None:
    assert answered(ANSWER).urls == {"http_proxy": "http://squid:3128/", "https_proxy": "http://squid:3129/"}


def test_credentials_are_escaped_and_secret() -> None:
    value = answered({**ANSWER, "user": URI}, {"username": "u@", "password": "p:/"})
    assert value.urls["http_proxy"] == "http://u%40:p%3A%2F@squid:3128"
    assert all(variable.secret for variable in value.variables)


def environment_of(*relations: Any) -> dict[str, str]:
    ours = replace(
        facts(), proxies={"http": "http://model:1", "https": "http://model:1", "no": "10.0.0.0/8"}, relations=relations
    )
    provided = [
        variable
        for relation in relations
        if not isinstance(value := parse(relation), NotReady)
        for variable in value.variables
    ]
    found = environment.build(ours, options.read(ours), "", (), provided)
    return {variable.name: variable.value for variable in found if variable.name.lower().endswith("_proxy")}


def test_integration_replaces_the_model_s_proxies_but_not_the_exceptions() -> None:
    assert environment_of()["https_proxy"] == "http://model:1"
    found = environment_of(example("http-proxy-without-a-user"))
    assert found == {
        "http_proxy": "http://squid.internal:3128/",
        "HTTP_PROXY": "http://squid.internal:3128/",
        "no_proxy": "10.0.0.0/8",
        "NO_PROXY": "10.0.0.0/8",
    }
    assert set(environment_of(example("http-proxy", bag={}))) == {"no_proxy", "NO_PROXY"}


@THOROUGH
def test_what_comes_in_comes_out(examples: int) -> None:
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
    hosts = st.sampled_from(["squid:3128", "[::1]:3128", "10.0.0.1", "squid.internal:1"])

    @settings(max_examples=examples, deadline=None)
    @given(text, text, hosts, st.sampled_from(["http", "https"]))
    def holds(username: str, password: str, host: str, scheme: str) -> None:
        answer = {"status": "ready", "http_proxy": f"{scheme}://{host}/", "user": URI}
        bag = {"responses": json.dumps([answer])}
        assert http_proxy.secrets(bag) == (URI,)
        found = variables(example("http-proxy", bag=bag, secrets={URI: {"username": username, "password": password}}))
        url = urls.parse(found["HTTP_PROXY"])
        assert unquote(url.username or "") == username
        assert unquote(url.password or "") == password
        assert (url.scheme, url.netloc.rpartition("@")[2]) == (scheme, host)

    holds()


@THOROUGH
def test_nothing_in_a_databag_raises(examples: int) -> None:
    fields = st.sampled_from(["status", "auth", "http_proxy", "https_proxy", "user", "requirer"])
    words = st.text() | st.sampled_from([URI, "ready", "http://a:1", "http://[", "https://u:p@[::1]/x", "\0", "\ud800"])
    odd = st.none() | st.booleans() | st.integers() | st.lists(words)
    answers = st.lists(st.dictionaries(fields, words | odd) | odd, max_size=3).map(json.dumps)

    @settings(max_examples=examples, deadline=None)
    @given(answers | st.text(), st.none() | st.dictionaries(st.sampled_from(["username", "password"]), words))
    def holds(text: str, secret: dict[str, str] | None) -> None:
        bag = {"responses": text}
        relation = example("http-proxy", bag=bag, secrets=dict.fromkeys(http_proxy.secrets(bag), secret))
        value = usable(http_proxy.parse(relation))
        if not isinstance(value, NotReady):
            assert all(urls.parse(variable.value).hostname for variable in value.variables)

    holds()
