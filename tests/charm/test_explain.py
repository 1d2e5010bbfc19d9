"""Each variable is explained: where it comes from, what changes it, and never a secret."""

import json
from typing import Any

import pytest
from ops import testing

from nuages.charm.explain import explain
from nuages.charm.facts import Peer
from tests.charm.conftest import NotesCharm, World, container, database, peer
from tests.charm.made import DATABASE, INGRESS, KEY, facts

EXPLAINED = explain(
    facts(
        relations=(DATABASE, INGRESS),
        config={"greeting": "Hello", "mail": "secret:d2aaaaaaaaaaaaaaaaa1"},
        option_secrets={"mail": {"user": "u", "password": "mail-pw"}},
        proxies={"http": "http://proxy:3128", "https": "", "no": "localhost"},
        peer=Peer(1, {"secret-key-id": KEY.id}, {"notes/1": {}}),
    )
)


@pytest.mark.parametrize(
    ("name", "origin", "change"),
    [
        ("DJANGO_GREETING", "option greeting", "juju config notes greeting=VALUE"),
        ("DJANGO_MAIL_USER", "option mail", "juju config notes mail=VALUE"),
        ("DJANGO_SECRET_KEY", "the application's own secret", "juju run notes/leader rotate-secret-key"),
        ("DJANGO_BASE_URL", "integration ingress", "juju remove-relation notes:ingress traefik-k8s"),
        (
            "POSTGRESQL_DB_HOSTNAME",
            "integration postgresql",
            "juju remove-relation notes:postgresql postgresql-k8s",
        ),
        ("HTTP_PROXY", "model option juju-http-proxy", "juju model-config juju-http-proxy=VALUE"),
        ("no_proxy", "model option juju-no-proxy", "juju model-config juju-no-proxy=VALUE"),
        ("DJANGO_PEER_FQDNS", "the application's other units", ""),
        ("FROM_THE_ROCK", "the rock", ""),
        ("PYTHONDONTWRITEBYTECODE", "the charm, for the service itself", ""),
    ],
)
def test_origins(name: str, origin: str, change: str) -> None:
    assert (EXPLAINED[name]["origin"], EXPLAINED[name]["change"]) == (origin, change)


def test_secrets_are_masked_wherever_they_are() -> None:
    text = json.dumps(EXPLAINED)
    for secret in ("the-secret-key", "pw-of-u", "mail-pw"):
        assert secret not in text
    for name in ("DJANGO_SECRET_KEY", "POSTGRESQL_DB_PASSWORD", "POSTGRESQL_DB_CONNECT_STRING", "DJANGO_MAIL_PASSWORD"):
        assert EXPLAINED[name]["value"] == "***", name
        assert EXPLAINED[name]["secret"] is True, name


def test_the_charm_prints_it_in_any_hook_context(
    context: testing.Context[NotesCharm], world: World, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Juju's exec gives the environment of a hook; the program `explain` names a dispatch path that no hook has."""
    state = testing.State(
        leader=True, containers=[container()], relations=[peer(), database()], config={"greeting": "Bonjour"}
    )
    monkeypatch.setattr("nuages.charm.app.EXPLAIN", "hooks/update-status")
    context.run(context.on.update_status(), state)
    printed = capsys.readouterr().out
    shown = json.loads(printed[: printed.rindex("}") + 1])
    assert shown["DJANGO_GREETING"]["value"] == "Bonjour"
