"""OAuth: any number of endpoints, each with its options; what hinders signing in is said with the command."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ops import testing

from nuages.charm import decide
from nuages.charm.facts import Endpoint, Relation
from nuages.charm.interfaces import integrations, oauth
from nuages.charm.interfaces.base import NotReady
from tests.charm.conftest import (
    CHARMCRAFT,
    USER_SECRET,
    NotesCharm,
    World,
    charm_documents,
    container,
    database,
    peer,
)
from tests.charm.interfaces.examples import THOROUGH, example, parse, variables
from tests.charm.interfaces.hostile import TEXT, check
from tests.charm.made import INGRESS, facts

KEYS = (*oauth.FIELDS.values(), "client_id", "client_secret_id")


def settled(relation: Relation, **changes: object) -> oauth.Client | NotReady:
    value = oauth.settle(facts(**{"relations": (INGRESS, relation), **changes}), relation, parse(relation))
    assert isinstance(value, oauth.Client | NotReady)
    return value


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (dict.fromkeys(KEYS, ""), "no description of itself yet"),
        ({"jwks_endpoint": ""}, "no jwks_endpoint"),
        ({"client_id": ""}, "no client registered yet"),
        ({"client_secret_id": ""}, "no client secret yet"),
        ({"client_secret_id": "secret:other"}, "its secret cannot be read yet"),
    ],
)
def test_not_ready_because(changes: dict[str, str], reason: str) -> None:
    relation = example("oauth")
    assert settled(relation._replace(bag={**relation.bag, **changes})) == NotReady(reason)


def test_without_openid_among_the_scopes_nobody_can_sign_in() -> None:
    value = settled(example("oauth"), config={"oidc-scopes": "profile email"})
    assert value == NotReady("oidc-scopes lacks openid", 'juju config notes oidc-scopes="openid profile email"')


def test_without_ingress_nobody_could_come_back() -> None:
    value = settled(example("oauth"), relations=(example("oauth"),))
    assert value == NotReady("users need a public URL to come back to", "juju integrate notes:ingress traefik-k8s")


def test_each_endpoint_has_its_own_options_and_variables() -> None:
    staff, public = example("oauth", endpoint="staff", id=5), example("oauth", endpoint="public-idp", id=6)
    ours = facts(
        relations=(INGRESS, staff, public),
        config={"staff-scopes": "openid groups", "public-idp-redirect-path": "auth/back"},
    )
    found = {each.relation.endpoint: each.value for each in integrations(ours) if each.interface is oauth.INTERFACE}
    kwargs = {
        variable.name: variable.value
        for value in found.values()
        if isinstance(value, oauth.Client)
        for variable in value.variables
        if variable.name.endswith("_KWARGS")
    }
    assert kwargs == {
        "DJANGO_STAFF_CLIENT_KWARGS": '{"scope": "openid groups"}',
        "DJANGO_PUBLIC-IDP_CLIENT_KWARGS": '{"scope": "openid profile email"}',
        "DJANGO_PUBLIC_IDP_CLIENT_KWARGS": '{"scope": "openid profile email"}',
    }
    assert oauth.publish(ours, public, "https://a.b/").app["redirect_uri"] == "https://a.b/auth/back"
    assert oauth.publish(ours, staff, "https://a.b/x").app["redirect_uri"] == "https://a.b/x/callback"


@pytest.mark.parametrize("event", ["ingress_relation_changed", "ingress_relation_broken", "config_changed"])
def test_redirect_uri_follows_the_public_url(event: str) -> None:
    endpoints = (Endpoint("ingress", "ingress", False), Endpoint("oidc", "oauth", False))
    ours = facts(event=event, relations=(INGRESS, example("oauth")), endpoints=endpoints, config={})
    written = [write for write in decide.decide(ours).bags if (write.endpoint, write.scope) == ("oidc", "app")]
    assert [write.data["redirect_uri"] for write in written] == ["https://notes.example/callback"]
    assert not any(write.once for write in written)


def test_working_integration_is_left_alone_at_other_events() -> None:
    ours = facts(event="postgresql_relation_changed", relations=(INGRESS, example("oauth")))
    assert not [write for write in decide.decide(ours).bags if write.endpoint == "oidc"]


def test_provider_that_described_itself_too_late_is_nudged_once() -> None:
    """It registers a client only at a change of ours that comes after its own description."""
    relation = example("oauth")
    waiting = relation._replace(bag={**relation.bag, "client_id": "", "client_secret_id": ""})
    silent = relation._replace(bag={})
    assert oauth.publish(facts(), silent, "https://a.b/").unit == {}
    nudge = oauth.publish(facts(), waiting, "https://a.b/").unit
    assert list(nudge) == [oauth.SEEN]
    assert oauth.publish(facts(event="update_status"), relation, "https://a.b/").unit == nudge
    assert oauth.publish(facts(leader=False), waiting, "https://a.b/").unit == {}
    other = waiting._replace(bag={**waiting.bag, "issuer_url": "https://other.example/"})
    assert oauth.publish(facts(), other, "https://a.b/").unit != nudge


@THOROUGH
def test_what_comes_in_comes_out(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(TEXT, TEXT, TEXT, st.lists(st.from_regex(r"[!-~]+", fullmatch=True), max_size=3))
    def holds(client: str, secret: str, url: str, more: list[str]) -> None:
        bag = {**example("oauth").bag, "client_id": client, "client_secret_id": "secret:a", "token_endpoint": url}
        relation = example("oauth", bag=bag, secrets={"secret:a": {"secret": secret}})
        found = variables(relation)
        assert (found["DJANGO_OIDC_CLIENT_ID"], found["DJANGO_OIDC_CLIENT_SECRET"]) == (client, secret)
        assert found["DJANGO_OIDC_ACCESS_TOKEN_URL"] == url
        wanted = " ".join(["openid", *more])
        value = settled(relation, config={"oidc-scopes": wanted})
        assert isinstance(value, oauth.Client)
        assert json.loads({v.name: v.value for v in value.variables}["DJANGO_OIDC_CLIENT_KWARGS"]) == {"scope": wanted}

    holds()


@THOROUGH
def test_nothing_in_a_databag_raises(examples: int) -> None:
    check("oauth", KEYS, examples)


def test_rotated_client_secret_reaches_the_application(world: World, tmp_path: Path) -> None:
    text = CHARMCRAFT + "  oidc: {interface: oauth, optional: true}\n"
    found = charm_documents(tmp_path / "charm", text)
    context = testing.Context(NotesCharm, meta=found["metadata"], config=found["config"], actions=found["actions"])
    answer = example("oauth")
    (uri,) = answer.secrets
    client = testing.Secret({"secret": "old-one"}, latest_content={"secret": "new-one"}, id=uri, owner=None)
    relations = {
        database(),
        peer(),
        testing.Relation("oidc", id=8, remote_app_name="hydra", remote_app_data=dict(answer.bag)),
        testing.Relation("ingress", id=9, remote_app_data={"ingress": '{"url": "https://notes.example/"}'}),
    }
    state = testing.State(
        leader=True, relations=relations, containers={container(tmp_path)}, secrets={USER_SECRET, client}
    )
    after = context.run(context.on.secret_changed(client), state)
    environment = after.get_container("django-app").plan.services["django"].environment
    assert environment["DJANGO_OIDC_CLIENT_SECRET"] == "new-one"
    assert world.answer == 200
