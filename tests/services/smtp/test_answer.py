from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.charm.interfaces import smtp as charm_side
from nuages.charm.interfaces.base import NotReady
from nuages.services.driver import Refused
from nuages.services.smtp import answer
from tests.charm.interfaces.examples import example

DEFAULTS: dict[str, Any] = {"port": 25, "transport_security": "none", "skip_ssl_verify": False}
HOST = "smtp-integrator.dev.svc.cluster.local"


def parse(**config: Any) -> answer.Relay:
    return answer.parse(DEFAULTS | config, HOST)


def test_without_a_host_it_is_the_catcher_with_a_user_for_each_relation() -> None:
    said = answer.answer(parse().of("relation-3", "pw"), answer.ENDPOINT)
    assert dict(said.databag) == {
        "host": HOST,
        "port": "25",
        "auth_type": "plain",
        "transport_security": "none",
        "skip_ssl_verify": "False",
        "user": "relation-3",
    }
    assert said.secrets == {"password_id": {"password": "pw"}}


def test_a_host_of_the_operators_is_said_as_charmhubs_charm_says_it() -> None:
    relay = parse(
        host="smtp.example.com",
        port=587,
        user="joe",
        password="pw",
        auth_type="plain",
        transport_security="starttls",
        domain="example.com",
        smtp_sender="noreply@example.com",
        recipients="a@example.com, b@example.com",
    )
    assert not relay.own
    said = answer.answer(relay, answer.ENDPOINT)
    # The provider's databag of reference relation-interfaces 2.7, with recipients.
    assert dict(said.databag) == {
        "host": "smtp.example.com",
        "port": "587",
        "user": "joe",
        "auth_type": "plain",
        "transport_security": "starttls",
        "domain": "example.com",
        "skip_ssl_verify": "False",
        "smtp_sender": "noreply@example.com",
        "recipients": '["a@example.com", "b@example.com"]',
    }
    assert said.secrets == {"password_id": {"password": "pw"}}


def test_a_relay_without_login_has_no_secret() -> None:
    said = answer.answer(parse(host="relay"), answer.ENDPOINT)
    assert (said.databag["auth_type"], "user" in said.databag, dict(said.secrets)) == ("none", False, {})


def test_the_legacy_endpoint_has_the_password_in_plain() -> None:
    said = answer.answer(parse().of("relation-3", "pw"), answer.LEGACY)
    assert (said.databag["password"], dict(said.secrets)) == ("pw", {})
    assert "password_id" not in said.databag


@pytest.mark.parametrize("endpoint", [answer.ENDPOINT, answer.LEGACY])
@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_our_own_charm_reads_it(endpoint: str, security: str) -> None:
    said = answer.answer(parse(transport_security=security).of("relation-3", "pw"), endpoint)
    uri = "secret:00000000000000000001"
    bag = {**said.databag, **dict.fromkeys(said.secrets, uri)}
    secrets = {uri: {"password": "pw"}} if said.secrets else {}
    value = charm_side.parse(example("smtp", bag=bag)._replace(secrets=secrets))
    assert not isinstance(value, NotReady), value
    found = {variable.name: variable.value for variable in value.variables}
    assert (found["SMTP_HOST"], found["SMTP_PORT"]) == (HOST, "25")
    assert (found["SMTP_USER"], found["SMTP_PASSWORD"], found["SMTP_AUTH_TYPE"]) == ("relation-3", "pw", "plain")
    assert found.get("SMTP_TRANSPORT_SECURITY", "none") == security
    assert found["SMTP_SKIP_SSL_VERIFY"] == str(security != "none")  # the catcher's certificate is its own


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"auth_type": "cram"}, "auth_type is 'cram': set it to none, not_provided or plain"),
        ({"transport_security": "ssl"}, "transport_security is 'ssl': set it to none, starttls or tls"),
        ({"port": 8025}, "where the page with the mails is"),
        ({"port": 70000}, "port is 70000"),
        ({"user": "joe"}, "for a host of yours: set host"),
        ({"auth_type": "none"}, "for a host of yours: set host"),
        ({"host": "x", "auth_type": "plain", "user": "joe"}, "without user and password"),
    ],
)
def test_options_that_cannot_be_say_what_to_set(config: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse(**config)
    assert reason in str(refusal.value)


WORDS = st.text(max_size=20)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "host": WORDS,
            "port": st.integers(),
            "user": WORDS,
            "password": WORDS,
            "auth_type": st.sampled_from(["none", "plain", "not_provided", "x"]),
            "transport_security": st.sampled_from(["none", "tls", "x"]),
            "recipients": WORDS,
        },
    )
)
def test_any_options_are_answered_or_refused(config: dict[str, Any]) -> None:
    try:
        relay = parse(**config)
    except Refused:
        return
    said = answer.answer(relay, answer.ENDPOINT)
    assert all(said.databag.values())
    json.dumps(dict(said.databag))
