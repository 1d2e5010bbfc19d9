"""Options as variables and settings."""

# Tables read best with a row in a line.
# ruff: noqa: E501

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from nuages.charm import options
from nuages.charm.environment import build
from nuages.charm.facts import Option, Peer
from nuages.charm.statuses import LIMIT
from nuages.charm.variables import is_exportable
from tests.charm.interfaces.examples import THOROUGH
from tests.charm.made import OPTIONS, facts


def settings(**config: Any) -> options.Settings:
    return options.read(facts(config={name.replace("_", "-"): value for name, value in config.items()}))


def variables(**config: Any) -> dict[str, str]:
    return {variable.name: variable.value for variable in settings(**config).variables}


@pytest.mark.parametrize(
    ("config", "name", "value"),
    [
        ({"greeting": " a\n'b\" "}, "DJANGO_GREETING", " a\n'b\" "),
        ({"greeting": ""}, "DJANGO_GREETING", ""),
        ({"limit_of_notes": 7}, "DJANGO_LIMIT_OF_NOTES", "7"),
        ({"ratio": 2.5}, "DJANGO_RATIO", "2.5"),
        ({"ratio": 1.0}, "DJANGO_RATIO", "1.0"),
        ({"closed": True}, "DJANGO_CLOSED", "true"),
        ({"django_debug": False}, "DJANGO_DEBUG", "false"),
    ],
)
def test_value_of_each_type(config: dict[str, Any], name: str, value: str) -> None:
    assert variables(**config) == {name: value}


def test_unset_option_makes_no_variable() -> None:
    assert variables() == {}


def test_secret_option_makes_a_variable_of_each_key() -> None:
    found = options.read(
        facts(config={"mail": "secret:x"}, option_secrets={"mail": {"user-name": "u", "password": " p\n"}})
    )
    assert {variable.name: variable.value for variable in found.variables} == {
        "DJANGO_MAIL_USER_NAME": "u",
        "DJANGO_MAIL_PASSWORD": " p\n",
    }
    assert all(variable.secret for variable in found.variables)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"webserver_workers": 0}, "option webserver-workers is 0, must be at least 1: juju config notes webserver-workers=1"),
        ({"webserver_timeout": -5}, "option webserver-timeout is -5, must be at least 0: juju config notes webserver-timeout=30"),
        ({"webserver_worker_class": "tornado"}, "worker class tornado: not one of sync, gevent, gthread, asgi: juju config notes --reset webserver-worker-class"),
        ({"django_secret_key": ""}, "option django-secret-key is empty: juju config notes django-secret-key=KEY"),
        ({"django_secret_key": "a", "django_secret_key_id": "secret:x"}, "options django-secret-key and django-secret-key-id are both set: juju config notes --reset django-secret-key-id"),
        ({"django_secret_key_id": "secret:x"}, "option django-secret-key-id: its secret cannot be read: juju grant-secret secret:x notes"),
    ],
)  # fmt: skip
def test_problem_names_the_option_and_the_command(config: dict[str, Any], message: str) -> None:
    assert [problem.message for problem in settings(**config).problems] == [message]


LONG = "payment-credentials-of-partner"


@pytest.mark.parametrize("content", [None, {}, {"token": "a\0b"}])
def test_a_long_name_of_an_option_and_its_command_are_both_whole(content: Any) -> None:
    uri = "secret:d2aaaaaaaaaaaaaaaaa0"
    found = options.read(
        facts(
            app="conference-portal",
            options=(Option(LONG, "secret"),),
            config={LONG: uri},
            option_secrets={LONG: content},
        )
    )
    assert found.problems[0].message.startswith(f"option {LONG}")
    command = re.search(r": juju .*$", found.problems[0].message)
    assert command
    assert command[0].endswith(
        (f"grant-secret {uri} conference-portal", f"{LONG}=ID", f"update-secret {uri} token=VALUE")
    )


def test_required_option_without_value() -> None:
    found = options.read(facts(options=(*OPTIONS, Option("token", "string", True)), config={}))
    assert found.problems[0].message == "option token must be set: juju config notes token=VALUE"
    assert not options.read(facts(options=(Option("token", "string", True),), config={"token": ""})).problems


@pytest.mark.parametrize("option", ["django-secret-key-id", "app-secret-key"])
def test_secret_key_from_a_secret(option: str) -> None:
    found = options.read(facts(config={option: "secret:x"}, option_secrets={option: {"value": "k"}}))
    assert found.secret_key is not None
    assert found.secret_key.value == "k"
    wrong = options.read(facts(config={option: "secret:x"}, option_secrets={option: {"key": "k"}}))
    assert wrong.problems[0].level == "blocked"


def environment(ingress: str = "", **changes: Any) -> dict[str, str]:
    seen = facts(**changes)
    return {variable.name: variable.value for variable in build(seen, options.read(seen), ingress, (), ())}


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (None, ["notes.shop"]),
        ("", ["notes.shop"]),
        ("a.example, b.example", ["a.example", "b.example", "notes.shop"]),
        ("a,,", ["a", "", "", "notes.shop"]),
        ("*", ["*", "notes.shop"]),
        ("notes.shop", ["notes.shop"]),
    ],
)
def test_allowed_hosts(option: str | None, expected: list[str]) -> None:
    config = {} if option is None else {"django-allowed-hosts": option}
    assert json.loads(environment(config=config)["DJANGO_ALLOWED_HOSTS"]) == expected


def test_base_url_and_what_follows_from_it() -> None:
    found = environment("https://Shop.example:8443/notes")
    assert found["DJANGO_BASE_URL"] == "https://Shop.example:8443/notes"
    assert found["DJANGO_ALLOWED_HOSTS"] == '["shop.example"]'
    assert found["DJANGO_CSRF_TRUSTED_ORIGINS"] == '["https://shop.example:8443"]'


def test_users_own_csrf_origins_win_but_no_other_built_in() -> None:
    names = (Option("csrf-trusted-origins", "string"), Option("base-url", "string"))
    found = environment(options=names, config={"csrf-trusted-origins": "mine", "base-url": "mine"})
    assert found["DJANGO_CSRF_TRUSTED_ORIGINS"] == "mine"
    assert found["DJANGO_BASE_URL"] == "http://notes.shop:8000"


def test_proxies_in_both_spellings() -> None:
    found = environment(proxies={"http": "http://p:3128", "https": "", "no": "localhost"})
    assert found["http_proxy"] == found["HTTP_PROXY"] == "http://p:3128"
    assert "https_proxy" not in found
    assert found["no_proxy"] == found["NO_PROXY"] == "localhost"


def test_peers_are_sorted_as_text() -> None:
    found = environment(peer=Peer(1, {}, {"notes/2": {}, "notes/10": {}}))
    assert found["DJANGO_PEER_FQDNS"].split(",") == [
        "notes-10.notes-endpoints.shop.svc.cluster.local",
        "notes-2.notes-endpoints.shop.svc.cluster.local",
    ]
    assert "DJANGO_PEER_FQDNS" not in environment()


VALUES = st.text() | st.booleans() | st.integers() | st.floats(allow_nan=False)


NAMES = st.sampled_from([option.name for option in OPTIONS])
CONTENTS = st.none() | st.dictionaries(st.text(), st.text(), max_size=4)


@THOROUGH
def test_no_value_raises_and_what_is_taken_can_be_a_variable(examples: int) -> None:
    @settings_of(max_examples=examples, deadline=None)
    @given(st.dictionaries(NAMES, VALUES), st.dictionaries(NAMES, CONTENTS))
    def check(config: dict[str, Any], contents: dict[str, Any]) -> None:
        found = options.read(facts(config=config, option_secrets=contents))
        key = (found.secret_key,) if found.secret_key else ()
        assert all(is_exportable(variable.value) for variable in (*found.variables, *key)) or found.problems
        assert all(problem.level == "blocked" and len(problem.message) <= LIMIT for problem in found.problems)

    check()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"greeting": "a\0b"}, "option greeting has a NUL in it, or half a character: juju config notes greeting=VALUE"),
        ({"greeting": "\ud800"}, "option greeting has a NUL in it, or half a character: juju config notes greeting=VALUE"),
        ({"django-secret-key": "a\0b"}, "option django-secret-key has a NUL in it, or half a character: juju config notes django-secret-key=KEY"),
        ({"mail": "secret:x"}, "option mail: token in its secret has a NUL in it, or half a character: juju update-secret secret:x token=VALUE"),
    ],
)  # fmt: skip
def test_what_no_process_can_have_is_blocked(config: dict[str, Any], message: str) -> None:
    found = options.read(facts(config=config, option_secrets={"mail": {"token": "a\0b", "user": "joe"}}))
    assert [(problem.level, problem.message) for problem in found.problems] == [("blocked", message)]
    assert not [variable for variable in found.variables if not is_exportable(variable.value)]


@pytest.mark.parametrize(
    ("hosts", "message"),
    [
        ('["a.example", "b.example"]', "option django-allowed-hosts is JSON, not names with commas: juju config notes django-allowed-hosts=a.example,b.example"),
        ("https://a.example/", "option django-allowed-hosts has a URL, https://a.example/: juju config notes django-allowed-hosts=a.example"),
        ("a.example b.example", "option django-allowed-hosts has blanks, not commas: juju config notes django-allowed-hosts=a.example,b.example"),
        ("a.example:8000", "option django-allowed-hosts has a port, a.example:8000: juju config notes django-allowed-hosts=a.example"),
        ("[a.example]", "option django-allowed-hosts has brackets: juju config notes django-allowed-hosts=a.example"),
        ("http://" + "a" * 60, "option django-allowed-hosts has a URL, http://aaaaaaaaaaaaaaaaaaaaaaa…: juju config notes django-allowed-hosts=HOST,HOST"),
    ],
)  # fmt: skip
def test_hosts_that_django_would_never_match(hosts: str, message: str) -> None:
    assert [problem.message for problem in settings(django_allowed_hosts=hosts).problems] == [message]


@pytest.mark.parametrize(
    "hosts", ["", "*", ".example.com", "a,,", "a.example, b.example", "[::1],127.0.0.1", "bücher.example"]
)
def test_hosts_that_it_would(hosts: str) -> None:
    assert settings(django_allowed_hosts=hosts).problems == ()


@pytest.mark.parametrize(
    ("value", "path"),
    [(None, ""), ("", ""), ("/", "/"), ("/well?a=b", "/well?a=b"), ("well", "/well"), ("a b", ""), ("//a", ""), ("/ü", ""), ("/a\r\nX: y", "")],
)  # fmt: skip
def test_health_path(value: str | None, path: str) -> None:
    found = facts(config={} if value is None else {"health-path": value})
    assert options.health_path(found) == path
    expected = (
        ["option health-path is no path of a URL: juju config notes health-path=/healthz"] if value and not path else []
    )
    assert [problem.message for problem in options.read(found).problems] == expected


def test_secret_that_does_not_exist_and_one_that_is_not_granted() -> None:
    missing = options.read(facts(config={"mail": "secret:x"}, option_secrets={"mail": {}})).problems
    assert [problem.message for problem in missing] == [
        "option mail names no secret; set an ID from juju add-secret: juju config notes mail=ID"
    ]
    closed = options.read(facts(config={"mail": "secret:x"}, option_secrets={"mail": None})).problems
    assert [problem.message for problem in closed] == [
        "option mail: its secret cannot be read: juju grant-secret secret:x notes"
    ]
    big = options.read(facts(config={"webserver-workers": 2**31})).problems
    assert [problem.message for problem in big] == [
        "option webserver-workers is 2147483648, must be at most 2147483647: juju config notes webserver-workers=1"
    ]
