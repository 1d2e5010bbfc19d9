"""The databag of oauth, against the library that Charmhub's hydra and its requirers use."""

from __future__ import annotations

import json
from typing import Any

import ops
import pytest
from charmlibs.interfaces.oauth import ClientConfig, OAuthProvider, OAuthRequirer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ops import testing

from nuages.charm.interfaces import oauth as charm_side
from nuages.charm.interfaces.base import NotReady
from nuages.services.driver import Refused
from nuages.services.hydra import answer
from tests.charm.made import facts

BASE = "http://hydra.localhost:4444"
INTERNAL = "http://hydra.dev.svc.cluster.local:4445"
REQUEST = {
    "redirect_uri": "http://localhost:8000/callback",
    "scope": "openid profile email",
    "grant_types": '["authorization_code"]',
    "audience": "[]",
    "token_endpoint_auth_method": "client_secret_basic",
}


class Provider(ops.CharmBase):
    """Charmhub's hydra as far as its databag goes."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.provider: Any = OAuthProvider(self, "oauth")
        framework.observe(self.on.update_status, self._describe)
        framework.observe(self.provider.on.client_created, self._register)

    def _describe(self, _event: ops.EventBase) -> None:
        self.provider.set_provider_info_in_relation_data(
            issuer_url=BASE,
            authorization_endpoint=f"{BASE}/oauth2/auth",
            token_endpoint=f"{BASE}/oauth2/token",
            introspection_endpoint=f"{INTERNAL}/admin/oauth2/introspect",
            userinfo_endpoint=f"{BASE}/userinfo",
            jwks_endpoint=f"{BASE}/.well-known/jwks.json",
            scope="openid profile email phone",
            jwt_access_token=True,
        )

    def _register(self, event: Any) -> None:
        self.provider.set_client_credentials_in_relation_data(event.relation_id, "client-1", "pw-of-client")


class Requirer(ops.CharmBase):
    """An application that uses the official library."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        config = ClientConfig("https://notes.example.com/callback", "openid profile", ["authorization_code"])
        self.oauth: Any = OAuthRequirer(self, config, "oauth")


def provided() -> tuple[dict[str, str], dict[str, str]]:
    """Return the library's databag, and the content of its one secret."""
    meta = {"name": "hydra", "provides": {"oauth": {"interface": "oauth"}}}
    context = testing.Context(Provider, meta=meta)
    relation = testing.Relation("oauth", remote_app_data=REQUEST)
    state = context.run(context.on.update_status(), testing.State(leader=True, relations={relation}))
    state = context.run(context.on.relation_changed(state.get_relation(relation.id)), state)
    bag = dict(state.get_relation(relation.id).local_app_data)
    (secret,) = state.secrets
    return bag, dict(secret.latest_content or {})


def test_it_is_the_librarys_databag():
    bag, secret = provided()
    ours = answer.answer(BASE, INTERNAL, jwt=True, client_id="client-1", secret="pw-of-client")
    assert ours.databag == {key: value for key, value in bag.items() if key != answer.SECRET_ID}
    assert ours.secrets == {answer.SECRET_ID: secret}
    assert bag[answer.SECRET_ID].startswith("secret:")


def test_before_a_client_is_registered():
    given = answer.answer(BASE, INTERNAL, jwt=False)
    assert given.secrets == {}
    assert "client_id" not in given.databag
    assert given.databag["jwt_access_token"] == "False"


def test_the_official_requirer_reads_it():
    ours = answer.answer(BASE, INTERNAL, jwt=True, client_id="client-1", secret="pw-of-client")
    secret = testing.Secret({"secret": "pw-of-client"}, owner=None)
    bag = {**ours.databag, answer.SECRET_ID: secret.id}
    relation = testing.Relation("oauth", remote_app_data=bag)
    context = testing.Context(Requirer, meta={"name": "notes", "requires": {"oauth": {"interface": "oauth"}}})
    state = testing.State(leader=True, relations={relation}, secrets={secret})
    with context(context.on.relation_changed(relation), state) as manager:
        manager.run()
        found = manager.charm.oauth.get_provider_info()
        assert (found.issuer_url, found.client_id, found.client_secret) == (BASE, "client-1", "pw-of-client")
        assert found.jwt_access_token is True


def test_our_charm_and_it_understand_each_other():
    relation = charm_side.Relation("oidc", "oauth", 6, "hydra", bag={}, units={}, secrets={})
    request = charm_side.publish(facts(relations=(relation,)), relation, "http://localhost:8000/").app
    client = answer.parse("notes", request)
    assert client == answer.Client(
        ("http://localhost:8000/callback",), "openid profile email", ("authorization_code",), (), "client_secret_basic"
    )
    ours = answer.answer(BASE, INTERNAL, jwt=True, client_id="client-1", secret="pw-of-client")
    bag = {**ours.databag, answer.SECRET_ID: "secret:1"}
    read = charm_side.parse(relation._replace(bag=bag, secrets={"secret:1": {"secret": "pw-of-client"}}))
    assert not isinstance(read, NotReady)
    assert {each.name: each.value for each in read.variables} == {
        "DJANGO_OIDC_CLIENT_ID": "client-1",
        "DJANGO_OIDC_CLIENT_SECRET": "pw-of-client",
        "DJANGO_OIDC_CLIENT_KWARGS": '{"scope": "openid profile email"}',
        "DJANGO_OIDC_API_BASE_URL": BASE,
        "DJANGO_OIDC_AUTHORIZE_URL": f"{BASE}/oauth2/auth",
        "DJANGO_OIDC_ACCESS_TOKEN_URL": f"{BASE}/oauth2/token",
        "DJANGO_OIDC_USER_URL": f"{BASE}/userinfo",
        "DJANGO_OIDC_USERINFO_URL": f"{BASE}/userinfo",
        "DJANGO_OIDC_JWKS_URL": f"{BASE}/.well-known/jwks.json",
    }


def test_requests():
    assert answer.parse("notes", {}) is None
    assert answer.parse("notes", {key: REQUEST[key] for key in ("scope", "grant_types")}) is None
    several = answer.parse("notes", REQUEST | {"redirect_uri": '["http://a/", "https://b/c"]'})
    assert several
    assert several.redirect_uris == ("http://a/", "https://b/c")
    alone = answer.parse("notes", REQUEST | {"grant_types": '["client_credentials"]', "redirect_uri": ""})
    assert alone
    assert alone.document("notes", ["ab"]) == {
        "name": "notes",
        "secrets": ["ab"],
        "redirect_uris": [],
        "scope": "openid profile email",
        "grant_types": ["client_credentials"],
        "audience": [],
        "auth_method": "client_secret_basic",
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"grant_types": '["implicit"]'}, "notes asks for the grant type implicit: there are authorization_code"),
        ({"grant_types": "authorization_code"}, "notes publishes a grant_types that is no list"),
        ({"grant_types": "[1]"}, "no list of texts"),
        ({"redirect_uri": "javascript:alert(1)"}, "it must be an http or https URL"),
        ({"redirect_uri": "http://["}, "it must be an http or https URL"),
        ({"redirect_uri": "http://a/#b"}, "it must be an http or https URL"),
        ({"redirect_uri": "[1"}, "no list of texts"),
        ({"redirect_uri": "[" * 100_000}, "no list of texts"),
        ({"redirect_uri": "http://a/\r\nSet-Cookie: session=x"}, "it must be an http or https URL"),
        ({"token_endpoint_auth_method": "none"}, "asks for the client authentication none"),
        ({"audience": "{}"}, "audience that is no list"),
    ],
)
def test_requests_that_cannot_be(change: dict[str, str], words: str):
    with pytest.raises(Refused, match=words.replace("(", r"\(")):
        answer.parse("notes", REQUEST | change)


WORDS = st.text(max_size=12)


@given(st.dictionaries(st.sampled_from(sorted(REQUEST)), WORDS | st.lists(WORDS, max_size=3).map(json.dumps)))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_request_is_taken_or_refused(bag: dict[str, str]):
    try:
        answer.parse("notes", REQUEST | bag)
    except Refused as error:
        assert str(error).startswith("notes ")
