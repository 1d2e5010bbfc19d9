"""People sign in to a Django application by SAML and by OpenID: `up` brings the providers, and they survive things."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.people import passwords, people_of
from tests.e2e.people.visitor import Visitor, told
from tests.e2e.world import World, eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def people(home: Path) -> Iterator[World]:
    with people_of(home) as world:
        world.up()
        yield world


def by_saml(
    people: World, name: str, password: str, visitor: Visitor | None = None, query: str = ""
) -> Mapping[str, str]:
    visitor = visitor or Visitor()
    visitor.get(f"{people.url}people/saml/login/{query}")
    if 'name="password"' in visitor.text:
        visitor.press(username=name, password=password)
    return told(visitor.press())  # what JavaScript would press: back to the application


def by_openid(
    people: World, name: str, password: str, visitor: Visitor | None = None, query: str = ""
) -> Mapping[str, str]:
    visitor = visitor or Visitor()
    visitor.get(f"{people.url}people/openid/login/{query}")
    if 'name="password"' in visitor.text:
        visitor.press(username=name, password=password)
    return told(visitor)


def variables(people: World) -> dict[str, str]:
    document = json.loads(people.nuages("env", "notes", "--reveal", "--format", "json").stdout)
    return {name: item["value"] for name, item in document.items()}


def test_up_brings_both_providers(people: World):
    for name in ("hydra", "saml-integrator"):
        status, message = people.workload(f"{name}/0")
        assert status == "active"
        assert f"http://{name}.localhost:" in message
    assert people.workload("notes/0")[0] == "active"


def test_the_variables_say_where(people: World):
    found = variables(people)
    issuer, entity = found["DJANGO_OIDC_API_BASE_URL"], found["SAML_ENTITY_ID"]
    assert Visitor().get(f"{issuer}/.well-known/openid-configuration").text.startswith('{"issuer": "' + issuer)
    assert f'entityID="{entity}"' in Visitor().get(found["SAML_METADATA_URL"]).text


def test_a_library_in_the_pod_finds_at_these_addresses_what_a_browser_finds(people: World):
    found = variables(people)
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
    before = variables(people)["DJANGO_OIDC_CLIENT_SECRET"]
    failed: list[str] = []
    done: list[str] = []
    stop = threading.Event()
    visitor = Visitor()
    by_openid(people, "bob", word, visitor)

    def again() -> None:
        while not stop.is_set():
            try:
                done.append(by_openid(people, "bob", word, visitor)["by"])
            except AssertionError as error:
                failed.append(str(error))

    thread = threading.Thread(target=again)
    thread.start()
    try:
        people.nuages("run", "hydra/0", "rotate-password")
        eventually("the new secret", lambda: variables(people)["DJANGO_OIDC_CLIENT_SECRET"] != before, seconds=60)
        more = len(done) + 5
        eventually("five more logins", lambda: len(done) >= more or failed, seconds=60)
    finally:
        stop.set()
        thread.join()
    assert failed == []


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
    ("unit", "container", "program"),
    [("hydra/0", "hydra", "provider.py"), ("saml-integrator/0", "saml", "idp.py")],
)
def test_a_killed_provider_is_back(people: World, unit: str, container: str, program: str):
    word = passwords(people, unit.partition("/")[0])["alice"]
    sign_in = by_openid if container == "hydra" else by_saml
    visitor = Visitor()
    sign_in(people, "alice", word, visitor)
    script = (
        'for p in /proc/[0-9]*; do case "$(tr "\\0" " " <$p/cmdline)" in '
        f'"/opt/nuages/python3 "*" /opt/nuages/{program} "*) kill -9 ${{p#/proc/}} && echo killed;; esac; done'
    )
    assert people.nuages("ssh", "--container", container, unit, "--", "sh", "-c", script).stdout.strip() == "killed"

    def signed_in() -> bool:
        try:
            return bool(sign_in(people, "alice", "not needed: still signed in", visitor))
        except (AssertionError, OSError):
            return False

    eventually("it is back", signed_in, seconds=60)


def test_all_is_as_it_was_after_down_and_up(people: World):
    before = variables(people)
    words = passwords(people, "hydra"), passwords(people, "saml-integrator")
    people.nuages("down")
    people.up()
    assert (passwords(people, "hydra"), passwords(people, "saml-integrator")) == words
    after = variables(people)
    assert {name: after[name] for name in after if "SAML" in name or "OIDC" in name} == {
        name: before[name] for name in before if "SAML" in name or "OIDC" in name
    }
    assert by_saml(people, "alice", words[1]["alice"])["uid"] == "alice"
    assert by_openid(people, "alice", words[0]["alice"])["name"] == "Alice Archer"


@pytest.mark.parametrize(("provider", "sign_in"), [("hydra", by_openid), ("saml-integrator", by_saml)])
def test_a_removed_relation_blocks_until_it_is_back(people: World, provider: str, sign_in):
    people.nuages("remove-relation", "notes", provider)
    eventually("it is blocked", lambda: people.workload("notes/0")[0] == "blocked", seconds=60)
    people.up()
    eventually("it is active", lambda: people.workload("notes/0")[0] == "active", seconds=60)
    assert sign_in(people, "alice", passwords(people, provider)["alice"])
