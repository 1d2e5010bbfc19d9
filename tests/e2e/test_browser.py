"""A person at a real browser: signs in by SAML and by OpenID, and reads the mail that the application sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.chromium import Chromium, chromium
from tests.e2e.people import passwords, people_of
from tests.e2e.world import World

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def people(home: Path, browser: Chromium) -> Iterator[World]:
    with people_of(home) as world:
        world.up()
        yield world


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


def sign_in(browser: Chromium, username: str, password: str) -> None:
    browser.fill("#username", username)
    browser.fill("#password", password)
    browser.click("main button")


def test_a_person_signs_in_by_saml(people: World, browser: Chromium, pictures: Path):
    alice = passwords(people, "saml-integrator")["alice"]
    browser.forget()
    browser.goto(f"{people.url}people/saml/login/")
    browser.until_url("http://saml-integrator.localhost:")
    assert "localhost:" in browser.page
    browser.screenshot(pictures / "saml-login.png")
    sign_in(browser, "alice", "not her password")
    browser.until_text("Wrong username or password.")
    browser.screenshot(pictures / "saml-wrong.png")
    assert alice not in browser.page
    sign_in(browser, "alice", alice)
    browser.until_url(f"{people.url}people/")
    browser.screenshot(pictures / "saml-signed-in.png")
    assert browser.text("#by") == "SAML"
    assert browser.text("#uid") == browser.text("#nameid") == "alice"
    assert browser.text("#email") == "alice@example.com"
    assert browser.text("#groups") == "staff,admins"


def test_who_is_signed_in_is_not_asked_again(people: World, browser: Chromium):
    browser.goto(f"{people.url}people/forget/")
    browser.until_text("Nobody")
    browser.goto(f"{people.url}people/saml/login/")
    browser.until_url(f"{people.url}people/")
    assert browser.text("#uid") == "alice"


def test_a_person_signs_in_by_openid(people: World, browser: Chromium, pictures: Path):
    bob = passwords(people, "hydra")["bob"]
    browser.forget()
    browser.goto(f"{people.url}people/openid/login/")
    browser.until_url("http://hydra.localhost:")
    browser.screenshot(pictures / "openid-login.png")
    sign_in(browser, "bob", bob)
    browser.until_url(f"{people.url}people/")
    browser.screenshot(pictures / "openid-signed-in.png")
    assert browser.text("#by") == "OpenID"
    assert browser.text("#name") == "Bob Baker"
    assert browser.text("#groups") == "staff"
    browser.goto(browser_home(people))
    assert "Sign out bob" in browser.page
    browser.screenshot(pictures / "openid-home.png")
    browser.click("main button")
    browser.until_text("no longer signed in")
    browser.goto(f"{people.url}people/openid/login/")
    browser.until_url("http://hydra.localhost:")


def test_a_person_reads_the_mail_that_was_caught(people: World, browser: Chromium, pictures: Path):
    browser.goto(f"{people.url}people/mail/rainclouds/")
    assert browser.page == "1"
    browser.goto(people.mails())
    browser.screenshot(pictures / "mails.png")
    browser.click("a[href$='.eml']")
    browser.until_text("Hello, this is about rainclouds.")
    assert "you@example.com" in browser.page
    browser.screenshot(pictures / "mail.png")


def browser_home(people: World) -> str:
    """The start page of the OpenID provider."""
    published = people.status()["nuages"]["published"]
    return f"http://hydra.localhost:{published['hydra/sign-in']}/"
