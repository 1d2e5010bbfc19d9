"""The real OpenID provider in a container of its own; tokens are verified by joserfc there."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from nuages.errors import NuagesError
from nuages.services import REGISTRY
from nuages.services.hydra import answer
from tests.services.fakes import FakeRelation
from tests.services.hydra.test_answer import REQUEST
from tests.services.identity.person import Page, Person, inside
from tests.services.identity.provider import Provider
from tests.services.pod import running, until

SERVICE = REGISTRY["hydra"]
PORT = 4444
BACK = REQUEST["redirect_uri"]
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
DECODE = r"""
import json, sys
from joserfc import jwt
from joserfc.jwk import KeySet
told = json.load(sys.stdin)
token = jwt.decode(told["token"], KeySet.import_key_set(told["keys"]), algorithms=[told["algorithm"]])
print(json.dumps([token.header, token.claims]))
"""


@pytest.fixture(scope="module")
def hydra(directory: Path) -> Iterator[Provider]:
    with running(SERVICE, directory) as pod:
        yield Provider(SERVICE, pod, PORT, {"jwt_access_tokens": True})


@pytest.fixture(scope="module")
def notes(hydra: Provider) -> FakeRelation:
    grants = json.dumps(["authorization_code", "refresh_token", "client_credentials"])
    scope = "openid profile email offline_access"
    return hydra.integrate(3, "notes", **{**REQUEST, "grant_types": grants, "scope": scope})


@pytest.fixture(scope="module")
def shop(hydra: Provider) -> FakeRelation:
    return hydra.integrate(4, "shop", **{**REQUEST, "redirect_uri": "http://shop.localhost:8000/callback"})


class Application:
    """The client of one relation."""

    def __init__(self, hydra: Provider, relation: FakeRelation) -> None:
        self.hydra, self.relation, self.person = hydra, relation, hydra.person()
        self.id = relation.own["client_id"]
        self.secret = hydra.context.content(relation.own["client_secret_id"])["secret"]

    def leads(self, **more: str) -> str:
        """Return where the application leads a browser."""
        fields = {"response_type": "code", "client_id": self.id, "redirect_uri": self.relation.app["redirect_uri"]}
        fields |= {"scope": "openid profile email", "state": "s 1", "nonce": "n1"}
        given = {key: value for key, value in (fields | more).items() if value}
        return f"{self.relation.own['authorization_endpoint']}?{urlencode(given)}"

    def post(self, key: str, fields: Mapping[str, str], secret: str = "") -> Page:
        pair = base64.b64encode(f"{self.id}:{secret or self.secret}".encode()).decode()
        return self.person.post(self.relation.own[key], fields, headers={"Authorization": f"Basic {pair}"})

    def redeem(self, code: str, **more: str) -> Page:
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.relation.app["redirect_uri"]}
        secret = more.pop("secret", "")
        return self.post("token_endpoint", {key: value for key, value in (fields | more).items() if value}, secret)

    def claims(self, token: str, algorithm: str = "RS256") -> dict[str, Any]:
        keys = self.person.get(self.relation.own["jwks_endpoint"]).document
        header, claims = inside(self.hydra.pod, DECODE, token=token, keys=keys, algorithm=algorithm)
        assert header["kid"]
        return claims

    def userinfo(self, token: str) -> Page:
        return self.person.get(self.relation.own["userinfo_endpoint"], headers={"Authorization": f"Bearer {token}"})

    def tokens(self, name: str = "alice", **more: str) -> dict[str, Any]:
        person = self.hydra.person()
        return self.redeem(code(signed_in(self.hydra, person, self.leads(**more), name))).document


def signed_in(hydra: Provider, person: Person, url: str, name: str) -> Page:
    """Return the redirect back to the application of a person who signs in."""
    led = person.sign_in(person.get(url), name, hydra.password(name))
    return person.get(led.location)


def code(page: Page) -> str:
    assert page.status == 302, page.words
    return parse_qs(urlsplit(page.location).query)["code"][0]


@pytest.fixture
def app(hydra: Provider, notes: FakeRelation) -> Application:
    return Application(hydra, notes)


@pytest.fixture
def other(hydra: Provider, shop: FakeRelation) -> Application:
    return Application(hydra, shop)


def test_a_login(hydra: Provider, app: Application):
    person = hydra.person()
    page = person.get(app.leads(code_challenge=CHALLENGE, code_challenge_method="S256"))
    assert "to go on to localhost:8000" in page.words
    led = person.sign_in(page, "alice", hydra.password("alice"))
    back = person.get(led.location)
    assert back.location.startswith(f"{BACK}?")
    assert parse_qs(urlsplit(back.location).query)["state"] == ["s 1"]
    reply = app.redeem(code(back), code_verifier=VERIFIER)
    assert reply.status == 200, reply.text
    assert reply.headers["cache-control"] == "no-store"
    tokens = reply.document
    assert tokens["token_type"] == "Bearer"
    assert set(tokens["scope"].split()) == {"openid", "profile", "email"}
    claims = app.claims(tokens["id_token"])
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (app.relation.own["issuer_url"], [app.id], "n1")
    assert claims["exp"] > claims["iat"] >= claims["auth_time"] - 1
    made = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(made).decode().rstrip("=")
    told = app.userinfo(tokens["access_token"]).document
    assert told == {
        "sub": claims["sub"],
        "name": "Alice Archer",
        "preferred_username": "alice",
        "given_name": "Alice",
        "family_name": "Archer",
        "groups": ["staff", "admins"],
        "email": "alice@example.com",
        "email_verified": True,
        "aud": [app.id],
    }
    access = app.claims(tokens["access_token"])
    assert (access["iss"], access["sub"], access["client_id"]) == (claims["iss"], claims["sub"], app.id)


def test_discovery_says_what_the_databag_says(app: Application):
    own = app.relation.own
    found = app.person.get(f"{own['issuer_url']}/.well-known/openid-configuration").document
    assert found["issuer"] == own["issuer_url"]
    assert found["jwks_uri"] == own["jwks_endpoint"]
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint"):
        assert found[name] == own[name]
    doubled = app.person.get(f"{own['issuer_url']}//.well-known/openid-configuration")
    assert doubled.document == found


def test_less_scope_tells_less(hydra: Provider, app: Application):
    tokens = app.tokens(scope="openid")
    assert set(app.userinfo(tokens["access_token"]).document) == {"sub", "aud"}
    assert "email" not in app.claims(tokens["id_token"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"redirect_uri": "https://evil.example/callback"}, "Redirect URI"),
        ({"redirect_uri": BACK + "/"}, "Redirect URI"),
        ({"redirect_uri": BACK + "?x=1"}, "Redirect URI"),
        ({"redirect_uri": BACK.replace("localhost", "LOCALHOST")}, "Redirect URI"),
        ({"client_id": "somebody"}, "does not exist"),
        ({"client_id": ""}, "client_id"),
    ],
)
def test_nobody_is_led_to_a_stranger(hydra: Provider, app: Application, change: dict[str, str], words: str):
    person = hydra.person()
    person.sign_in(person.get("/login"), "alice", hydra.password("alice"))
    page = person.get(app.leads(**change))
    assert page.status == 400
    assert words.lower() in page.words.lower()
    assert "location" not in page.headers


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"scope": "openid phone"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": CHALLENGE}, "invalid_request"),
    ],
)
def test_what_the_application_asks_wrongly_it_is_told(
    hydra: Provider, app: Application, change: dict[str, str], error: str
):
    page = hydra.person().get(app.leads(**change))
    assert page.location.startswith(BACK), page.words
    query = dict(parse_qsl(urlsplit(page.location).query))
    assert (query["error"], query["state"]) == (error, "s 1")
    assert "code" not in query


def test_a_code_serves_once_and_what_it_brought_ends_with_the_second_try(hydra: Provider, app: Application):
    text = code(signed_in(hydra, hydra.person(), app.leads(), "alice"))
    tokens = app.redeem(text).document
    assert app.userinfo(tokens["access_token"]).status == 200
    again = app.redeem(text)
    assert (again.status, again.document["error"]) == (400, "invalid_grant")
    assert app.userinfo(tokens["access_token"]).status == 401


def test_a_code_serves_its_application_alone(hydra: Provider, app: Application, other: Application):
    text = code(signed_in(hydra, hydra.person(), app.leads(), "alice"))
    stolen = other.redeem(text, redirect_uri=BACK)
    assert (stolen.status, stolen.document["error"]) == (400, "invalid_grant")
    assert app.redeem(text, secret="guessed").status == 401
    assert app.redeem(text, secret=other.secret).status == 401
    assert app.redeem(text, redirect_uri="http://localhost:8000/elsewhere").document["error"] == "invalid_grant"


def test_a_code_with_a_challenge_wants_its_verifier(hydra: Provider, app: Application):
    for verifier in ("", "w" * 64):
        leads = app.leads(code_challenge=CHALLENGE, code_challenge_method="S256")
        text = code(signed_in(hydra, hydra.person(), leads, "alice"))
        assert app.redeem(text, code_verifier=verifier).status == 400
    text = code(signed_in(hydra, hydra.person(), app.leads(), "alice"))
    assert app.redeem(text, code_verifier=VERIFIER).status == 400


def test_the_secret_comes_in_the_way_that_was_registered(hydra: Provider, app: Application):
    text = code(signed_in(hydra, hydra.person(), app.leads(), "alice"))
    fields = {"grant_type": "authorization_code", "code": text, "redirect_uri": BACK, "client_id": app.id}
    url = app.relation.own["token_endpoint"]
    for more in ({"client_secret": app.secret}, {}):
        reply = app.person.post(url, fields | more)
        assert (reply.status, reply.document["error"]) == (401, "invalid_client")


def test_of_two_that_come_together_one_gets_the_token(hydra: Provider, app: Application):
    text = code(signed_in(hydra, hydra.person(), app.leads(), "alice"))
    assert four(lambda: app.redeem(text).status) == [200, 400, 400, 400]


def test_of_two_that_come_together_one_gets_a_fresh_token(app: Application):
    fields = {"grant_type": "refresh_token"}
    text = app.tokens(scope="openid offline_access")["refresh_token"]
    for _ in range(5):
        fresh: list[str] = []

        def refresh(used: str = text, fresh: list[str] = fresh) -> int:
            reply = app.post("token_endpoint", {**fields, "refresh_token": used})
            fresh += [reply.document["refresh_token"]] if reply.status == 200 else []
            return reply.status

        assert four(refresh) == [200, 400, 400, 400]
        (text,) = fresh


def four(ask: Callable[[], int]) -> list[int]:
    """Return what four that ask at once are told."""
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(ask())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found)


def test_a_refresh_token_serves_once_and_its_application_alone(hydra: Provider, app: Application, other: Application):
    assert "refresh_token" not in app.tokens()
    tokens = app.tokens(scope="openid email offline_access")
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert other.post("token_endpoint", fields).status == 400
    fresh = app.post("token_endpoint", fields).document
    assert app.userinfo(fresh["access_token"]).document["email"] == "alice@example.com"
    assert app.claims(fresh["id_token"])["sub"] == app.claims(tokens["id_token"])["sub"]
    assert app.post("token_endpoint", fields).document["error"] == "invalid_grant"


def test_an_application_for_itself(app: Application, other: Application):
    reply = app.post("token_endpoint", {"grant_type": "client_credentials", "scope": "email"})
    assert reply.status == 200
    assert app.userinfo(reply.document["access_token"]).status == 401, "it is about nobody"
    assert other.post("token_endpoint", {"grant_type": "client_credentials"}).document["error"] == "unauthorized_client"
    assert app.post("token_endpoint", {"grant_type": "password"}).document["error"] == "unsupported_grant_type"


def test_introspection_and_revocation_are_for_ones_own_tokens(
    hydra: Provider, app: Application, other: Application, notes: FakeRelation
):
    token = app.tokens()["access_token"]
    said = app.post("introspection_endpoint", {"token": token}).document
    assert said["active"] is True
    assert (said["username"], said["client_id"], said["iss"]) == ("alice", app.id, hydra.base)
    assert other.post("introspection_endpoint", {"token": token}).document == {"active": False}
    assert app.person.post(notes.own["introspection_endpoint"], {"token": token}).status == 401
    revoke = f"{hydra.base}/oauth2/revoke"
    notes.own["x"] = revoke  # an endpoint that discovery names, not the databag
    app.relation.own["x"] = other.relation.own["x"] = revoke
    other.post("x", {"token": token})
    assert app.userinfo(token).status == 200
    assert app.post("x", {"token": token}).status == 200
    assert app.userinfo(token).status == 401
    assert app.post("introspection_endpoint", {"token": token}).document == {"active": False}
    hydra.hook("update-status")  # which puts the databags in order


def test_who_is_signed_in_is_not_asked_again_unless_that_is_asked_for(hydra: Provider, app: Application):
    person = hydra.person()
    signed_in(hydra, person, app.leads(), "alice")
    assert code(person.get(app.leads(nonce="n2")))
    assert code(person.get(app.leads(nonce="n3", prompt="none")))
    for asks in ({"prompt": "login"}, {"max_age": "0"}):
        page = person.get(app.leads(nonce=f"n4{asks}", **asks))
        assert 'name="password"' in page.text
        led = person.sign_in(page, "bob", hydra.password("bob"))
        tokens = app.redeem(code(person.get(led.location))).document
        assert app.claims(tokens["id_token"])["name"] == "Bob Baker"


def test_signing_out_leads_back_to_the_application_alone(hydra: Provider, app: Application):
    person = hydra.person()
    token = app.redeem(code(signed_in(hydra, person, app.leads(), "alice"))).document["id_token"]
    out = f"{hydra.base}/oauth2/sessions/logout"
    assert "signed in as alice" in person.get(out).words, "nobody's word is taken without a token"
    assert person.get(f"{out}?{urlencode({'id_token_hint': 'x.y.z'})}").status == 400
    target = {"post_logout_redirect_uri": "http://localhost:8000/bye?a=1", "state": "s&2", "id_token_hint": token}
    led = person.get(f"{out}?{urlencode(target)}")
    assert led.location == "http://localhost:8000/bye?a=1&state=s%262"
    assert "Nobody is signed in" in person.get("/").words
    stranger = target | {"post_logout_redirect_uri": "http://localhost:8000.evil.example/"}
    assert person.get(f"{out}?{urlencode(stranger)}").status == 403
    split = target | {"post_logout_redirect_uri": "http://localhost:8000/é\r\nX-Split: 1"}
    led = person.get(f"{out}?{urlencode(split)}")
    assert led.location == "http://localhost:8000/%C3%A9%0D%0AX-Split:%201?state=s%262"
    assert "x-split" not in led.headers
    access = app.redeem(code(signed_in(hydra, hydra.person(), app.leads(), "alice"))).document["access_token"]
    assert person.get(f"{out}?{urlencode(target | {'id_token_hint': access})}").status == 403


@pytest.mark.parametrize("age", ["²", "9" * 400, "9" * 5000])
def test_an_age_that_is_none_is_left_aside(hydra: Provider, app: Application, age: str):
    person = hydra.person()
    signed_in(hydra, person, app.leads(), "alice")
    for name in ("max_age", "login_asked"):
        assert person.get(app.leads(**{name: age})).location.startswith(BACK)


def test_a_changed_secret_and_those_before(
    hydra: Provider, app: Application, other: Application, monkeypatch: pytest.MonkeyPatch
):
    before, theirs = app.secret, other.secret
    assert hydra.act("rotate-password", application="notes") == {"changed": "notes"}
    changed = Application(hydra, app.relation)
    assert changed.secret != before
    assert Application(hydra, other.relation).secret == theirs
    hydra.act("rotate-password", application="notes")
    latest = Application(hydra, app.relation)
    for secret in (before, changed.secret, latest.secret):
        text = code(signed_in(hydra, hydra.person(), app.leads(), "alice"))
        assert app.redeem(text, secret=secret).status == 200
    later = time.time() + 61
    with monkeypatch.context() as patched:
        patched.setattr("nuages.services.passwords.time.time", lambda: later)
        hydra.hook("update-status")
    for secret, status in ((before, 401), (changed.secret, 401), (latest.secret, 200)):
        text = code(signed_in(hydra, hydra.person(), app.leads(), "alice"))
        assert app.redeem(text, secret=secret).status == status
    with pytest.raises(NuagesError, match="related applications are notes, shop"):
        hydra.act("rotate-password", application="nobody")


def test_keys_change_and_those_before_verify(hydra: Provider, app: Application):
    old = app.tokens()
    for algorithm in ("ES256", "EdDSA", "RS256"):
        kid = hydra.act("rotate-key", algorithm=algorithm)["new-key-id"]
        keys = app.person.get(app.relation.own["jwks_endpoint"]).document["keys"]
        assert keys[0]["kid"] == kid
        assert not any("d" in key for key in keys), "the private part"
        fresh = app.tokens(nonce=algorithm)
        assert app.claims(fresh["id_token"], algorithm)["nonce"] == algorithm
        assert app.userinfo(fresh["access_token"]).status == 200
        if algorithm != "RS256":
            assert app.claims(old["id_token"])
    with pytest.raises(NuagesError, match="algorithm must be one of RS256"):
        hydra.act("rotate-key", algorithm="none")


def test_opaque_access_tokens(hydra: Provider, app: Application):
    hydra.configure(jwt_access_tokens=False)
    assert app.relation.own["jwt_access_token"] == "False"
    tokens = Application(hydra, app.relation).tokens(nonce="opaque")
    assert "." not in tokens["access_token"]
    assert app.userinfo(tokens["access_token"]).status == 200
    hydra.configure()
    assert app.relation.own["jwt_access_token"] == "True"
    assert app.userinfo(tokens["access_token"]).status == 200


def test_clients_are_listed_without_their_secrets(hydra: Provider, app: Application, other: Application):
    assert hydra.act("list-oauth-clients") == {app.id: "notes", other.id: "shop"}
    said = hydra.act("get-oauth-client-info", client_id=app.id)
    assert (said["name"], said["redirect-uris"]) == ("notes", BACK)
    assert app.secret not in repr(said)
    with pytest.raises(NuagesError, match="the clients are"):
        hydra.act("get-oauth-client-info", client_id="x")


def test_another_address_is_registered_when_the_application_says_so(hydra: Provider, app: Application):
    app.relation.app["redirect_uri"] = "http://localhost:8001/callback"
    hydra.hook("oauth-relation-changed", app.relation)
    changed = Application(hydra, app.relation)
    assert (changed.id, changed.secret) == (app.id, app.secret)
    assert hydra.person().get(changed.leads()).status == 200
    assert hydra.person().get(changed.leads(redirect_uri=BACK)).status == 400
    app.relation.app["redirect_uri"] = BACK
    hydra.hook("oauth-relation-changed", app.relation)


def test_a_request_that_cannot_be_blocks_and_harms_nobody_else(hydra: Provider, app: Application):
    wrong = hydra.integrate(9, "broken", **{**REQUEST, "grant_types": '["implicit"]'})
    assert hydra.context.status[0] == "blocked"
    assert "broken asks for the grant type implicit" in hydra.context.status[1]
    assert "client_id" not in wrong.own
    assert app.tokens(nonce="despite")["id_token"]
    hydra.part(wrong)
    hydra.hook("update-status")
    assert hydra.context.status[0] == "active"


KILL = r"""
import os, pathlib, signal
for entry in pathlib.Path("/proc").iterdir():
    if entry.name.isdigit() and b"/opt/nuages/provider.py" in (entry / "cmdline").read_bytes().split(b"\0"):
        os.kill(int(entry.name), signal.SIGKILL)
"""


def test_a_killed_provider_is_back_with_all_it_gave(hydra: Provider, app: Application):
    person = hydra.person()
    tokens = app.redeem(code(signed_in(hydra, person, app.leads(nonce="k1"), "alice"))).document
    waiting = code(person.get(app.leads(nonce="k2")))
    before = dict(app.relation.own)
    hydra.pod.python(KILL)
    until(lambda: hydra.pod.output().count("OpenID provider at") >= 2, "it is started again")
    hydra.hook("hydra-pebble-check-recovered")
    assert app.relation.own == before
    assert app.userinfo(tokens["access_token"]).status == 200
    assert app.redeem(waiting).status == 200
    assert code(person.get(app.leads(nonce="k3"))), "still signed in"


def test_no_secret_is_where_others_look(hydra: Provider, app: Application, other: Application):
    tokens = app.tokens(nonce="hidden")
    words = [app.secret, other.secret, hydra.password("alice"), tokens["access_token"]]
    seen = hydra.pod.output() + hydra.pod.client.get_plan().to_yaml() + repr(hydra.context.statuses)
    seen += repr(app.relation.own) + hydra.pod.run("/bin/sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert not [word for word in words if word in seen]
    stored = hydra.pod.run("/bin/sh", "-c", "cat /var/lib/hydra/provider/* | base64 -w0")
    kept = base64.b64decode(stored)
    assert not [word for word in words if word.encode() in kept], "digests alone"
    assert hydra.pod.run("/bin/sh", "-c", "stat -c %a /var/lib/hydra/provider").strip() == "700"


def test_hooks_change_nothing_when_nothing_has_changed(hydra: Provider, notes: FakeRelation, shop: FakeRelation):
    writes = notes.writes + shop.writes
    secrets = dict(hydra.context.secrets)
    plan = hydra.pod.client.get_plan().to_yaml()
    for name in ("config-changed", "update-status", "oauth-relation-changed"):
        hydra.hook(name, notes if "relation" in name else None)
    assert notes.writes + shop.writes == writes
    assert hydra.context.secrets == secrets
    assert hydra.pod.client.get_plan().to_yaml() == plan


def test_a_removed_relation_ends_its_client_and_its_tokens(hydra: Provider, app: Application, other: Application):
    theirs = other.tokens(nonce="last")["access_token"]
    ours = app.tokens(nonce="last")["access_token"]
    hydra.part(other.relation)
    assert app.userinfo(theirs).status == 401
    assert app.userinfo(ours).status == 200
    assert hydra.person().get(other.leads()).status == 400
    assert other.redeem("x").status == 401
    assert f"oauth.{other.relation.id}.{answer.SECRET_ID}" not in hydra.context.secrets
