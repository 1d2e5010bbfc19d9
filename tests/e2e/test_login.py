"""People sign in to a Django application by SAML and by OpenID: `up` brings the providers, and they survive things."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.people import passwords, people_of
from tests.e2e.people.visitor import Visitor, told
from tests.e2e.traffic import asking
from tests.e2e.world import World, eventually, kill

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def people(home: Path) -> Iterator[World]:
    with people_of(home) as world:
        world.up()
        yield world


def sign_in(people: World, way: str, name: str, password: str, visitor: Visitor | None = None) -> Mapping[str, str]:
    """Sign in by `saml` or by `openid`; return what the application knows of the person then."""
    visitor = visitor or Visitor()
    visitor.get(f"{people.url}people/{way}/login/")
    if 'name="password"' in visitor.text:
        visitor.press(username=name, password=password)
    if way == "saml":
        visitor.press()  # what JavaScript would press: back to the application
    return told(visitor)


def by_saml(people: World, name: str, password: str, visitor: Visitor | None = None) -> Mapping[str, str]:
    return sign_in(people, "saml", name, password, visitor)


def by_openid(people: World, name: str, password: str, visitor: Visitor | None = None) -> Mapping[str, str]:
    return sign_in(people, "openid", name, password, visitor)


def test_up_brings_both_providers(people: World):
    for name in ("hydra", "saml-integrator"):
        status, message = people.workload(f"{name}/0")
        assert status == "active"
        assert f"http://{name}.localhost:" in message
    assert people.workload("notes/0")[0] == "active"


def test_the_variables_say_where(people: World):
    found = people.variables()
    issuer, entity = found["DJANGO_OIDC_API_BASE_URL"], found["SAML_ENTITY_ID"]
    assert Visitor().get(f"{issuer}/.well-known/openid-configuration").text.startswith('{"issuer": "' + issuer)
    assert f'entityID="{entity}"' in Visitor().get(found["SAML_METADATA_URL"]).text


def test_a_library_in_the_pod_finds_at_these_addresses_what_a_browser_finds(people: World):
    found = people.variables()
    said = json.loads(Visitor().get(f"{people.url}people/saml/metadata/").text)["idp"]
    assert said["entityId"] == found["SAML_ENTITY_ID"]
    assert said["singleSignOnService"]["url"] == found["SAML_SINGLE_SIGN_ON_REDIRECT_URL"]
    assert said["x509cert"] == found["SAML_SIGNING_CERTIFICATE"]
    said = json.loads(Visitor().get(f"{people.url}people/openid/discovered/").text)
    assert said["found"]["issuer"] == said["issuer"] == found["DJANGO_OIDC_API_BASE_URL"]
    assert said["found"]["token_endpoint"] == found["DJANGO_OIDC_ACCESS_TOKEN_URL"]
    assert said["keys"]["keys"]


def test_people_sign_in(people: World):
    alice = by_saml(people, "alice", passwords(people, "saml-integrator")["alice"])
    assert (alice["uid"], alice["email"], alice["groups"]) == ("alice", "alice@example.com", "staff,admins")
    bob = by_openid(people, "bob", passwords(people, "hydra")["bob"])
    assert (bob["name"], bob["email"], bob["groups"]) == ("Bob Baker", "bob@example.com", "staff")


def test_one_providers_password_is_not_the_others(people: World):
    assert not set(passwords(people, "hydra").values()) & set(passwords(people, "saml-integrator").values())


def test_a_user_of_ones_own(people: World):
    for name in ("hydra", "saml-integrator"):
        people.nuages("run", f"{name}/0", "set-user", "username=carol", "password=a b&c", "groups=press")
    assert by_saml(people, "carol", "a b&c")["groups"] == "press"
    assert by_openid(people, "carol", "a b&c")["groups"] == "press"


def test_a_changed_client_secret_lets_everybody_in_meanwhile(people: World):
    word = passwords(people, "hydra")["bob"]
    visitor = Visitor()
    by_openid(people, "bob", word, visitor)

    def again() -> str:
        said = by_openid(people, "bob", word, visitor)
        return "" if said["by"] == "OpenID" else str(said)

    with asking(again) as asked:
        people.rotate("hydra/0", "DJANGO_OIDC_CLIENT_SECRET")
        asked.wait_for(5)
    assert asked.failed == []


def test_a_new_signing_key_is_noticed(people: World):
    people.nuages("run", "hydra/0", "rotate-key", "algorithm=RS256")
    assert by_openid(people, "bob", passwords(people, "hydra")["bob"])["by"] == "OpenID"


def test_a_library_with_an_address_of_its_own(people: World):
    word = passwords(people, "hydra")["bob"]
    people.nuages("config", "notes", "oidc-redirect-path=/oidc/callback/")
    try:
        # The address is registered when the relation's hooks are through: until then there is nowhere to lead back to.
        led = eventually(
            "the login page",
            lambda: next(
                (one for one in [Visitor().get(f"{people.url}oidc/authenticate/")] if 'name="password"' in one.text),
                None,
            ),
            seconds=60,
        )
        assert told(led.press(username="bob", password=word)) == {
            "by": "mozilla-django-oidc",
            "email": "bob@example.com",
        }
    finally:
        people.nuages("config", "notes", "--reset", "oidc-redirect-path")
    eventually(
        "Authlib's again", lambda: "password" in Visitor().get(f"{people.url}people/openid/login/").text, seconds=60
    )


@pytest.mark.parametrize(
    ("way", "unit", "container", "program"),
    [("openid", "hydra/0", "hydra", "provider.py"), ("saml", "saml-integrator/0", "saml", "idp.py")],
)
def test_a_killed_provider_is_back(people: World, way: str, unit: str, container: str, program: str):
    word = passwords(people, unit.partition("/")[0])["alice"]
    visitor = Visitor()
    sign_in(people, way, "alice", word, visitor)
    kill(people, unit, container, program)

    def signed_in() -> bool:
        try:
            return bool(sign_in(people, way, "alice", "not needed: still signed in", visitor))
        except (AssertionError, OSError):
            return False

    eventually("it is back", signed_in, seconds=60)


def test_all_is_as_it_was_after_down_and_up(people: World):
    before = people.variables()
    words = passwords(people, "hydra"), passwords(people, "saml-integrator")
    people.nuages("down")
    people.up()
    assert (passwords(people, "hydra"), passwords(people, "saml-integrator")) == words
    after = people.variables()
    assert {name: after[name] for name in after if "SAML" in name or "OIDC" in name} == {
        name: before[name] for name in before if "SAML" in name or "OIDC" in name
    }
    assert by_saml(people, "alice", words[1]["alice"])["uid"] == "alice"
    assert by_openid(people, "alice", words[0]["alice"])["name"] == "Alice Archer"


@pytest.mark.parametrize(("way", "provider"), [("openid", "hydra"), ("saml", "saml-integrator")])
def test_a_removed_relation_blocks_until_it_is_back(people: World, way: str, provider: str):
    people.nuages("remove-relation", "notes", provider)
    people.becomes("notes/0", "blocked")
    people.up()
    people.becomes("notes/0", "active")
    assert sign_in(people, way, "alice", passwords(people, provider)["alice"])
