"""SMTP: complete or waited for; a value that looks like `none` is not taken for it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm.interfaces import smtp
from nuages.charm.interfaces.base import NotReady
from tests.charm.interfaces.examples import THOROUGH, example, parse, variables
from tests.charm.interfaces.hostile import TEXT, check
from tests.charm.made import facts

KEYS = ("host", "port", "auth_type", "transport_security", "user", "password", "password_id", "domain")


@pytest.mark.parametrize("key", smtp.REQUIRED)
def test_required_field_is_waited_for(key: str) -> None:
    relation = example("smtp")
    bag = {name: text for name, text in relation.bag.items() if name != key}
    assert parse(relation._replace(bag=bag)) == NotReady(f"no {key}")


@pytest.mark.parametrize(
    ("key", "text", "reason"),
    [
        ("port", "smtp", "its port is no number from 1 to 65535"),
        ("port", "65536", "its port is no number from 1 to 65535"),
        ("port", "٣", "its port is no number from 1 to 65535"),
        ("port", "9" * 5000, "its port is no number from 1 to 65535"),
        ("auth_type", "magic", "its auth_type is none of none, not_provided, plain"),
        ("transport_security", "ssl", "its transport_security is none of none, starttls, tls"),
    ],
)
def test_value_that_cannot_be_is_not_used(key: str, text: str, reason: str) -> None:
    relation = example("smtp")
    assert parse(relation._replace(bag={**relation.bag, key: text})) == NotReady(reason)


@pytest.mark.parametrize("text", ["n", "o", "e", "no", "on", "ne", "one", "non", "none"])
def test_values_like_none_stay(text: str) -> None:
    bag = {**example("smtp").bag, "user": text, "domain": text}
    found = variables(example("smtp", bag=bag))
    assert (found["SMTP_USER"], found["SMTP_DOMAIN"]) == (text, text)


def test_operators_own_secret_is_to_be_granted_by_the_operator() -> None:
    relation = example("smtp")
    uri = relation.bag["password_id"]
    unread = relation._replace(secrets={uri: None})
    value = smtp.settle(facts(), unread, parse(unread))
    assert value == NotReady("its secret cannot be read yet", fix=f"juju grant-secret {uri} notes")
    empty = relation._replace(secrets={uri: {}})
    assert smtp.settle(facts(), empty, parse(empty)) == NotReady("its secret has no password")


@THOROUGH
def test_what_comes_in_comes_out(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(TEXT, st.integers(1, 65535), TEXT, TEXT, st.sampled_from(smtp.AUTHENTICATION), st.booleans())
    def holds(  # noqa: PLR0917  one for each field
        host: str, port: int, user: str, password: str, authentication: str, skip: bool
    ) -> None:
        bag = {
            "host": host,
            "port": str(port),
            "user": user,
            "password_id": "secret:a",
            "auth_type": authentication,
            "transport_security": "tls",
            "skip_ssl_verify": str(skip),
        }
        found = variables(example("smtp", bag=bag, secrets={"secret:a": {"password": password}}))
        assert found["SMTP_HOST"] == host
        assert found["SMTP_PORT"] == str(port)
        assert (found["SMTP_USER"], found["SMTP_PASSWORD"]) == (user, password)
        assert found.get("SMTP_AUTH_TYPE", "none") == authentication
        assert found["SMTP_SKIP_SSL_VERIFY"] == str(skip)

    holds()


@THOROUGH
def test_nothing_in_a_databag_raises(examples: int) -> None:
    check("smtp", KEYS, examples)
