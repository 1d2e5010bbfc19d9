"""A Django application sends mail by the catcher: `up` brings it, the mail is on its page."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.projects import SETTINGS, endpoint, notes_with
from tests.e2e.world import World, eventually

pytestmark = pytest.mark.slow

URLS = """
from django.core.mail import send_mail
from django.http import HttpResponse


def write(request, subject):
    return HttpResponse(send_mail(subject, "Hello", "notes@example.com", ["you@example.com"]))


urlpatterns.append(path("write/<subject>/", write))
"""


@pytest.fixture(scope="module")
def mailing(home: Path) -> Iterator[World]:
    """The example with mail by `charm_settings`."""
    with notes_with(home, urls=URLS, settings=SETTINGS, endpoints=[endpoint("smtp", "smtp")]) as world:
        world.up()
        yield world


def caught(world: World) -> str:
    with urllib.request.urlopen(world.mails(), timeout=10) as answer:
        return answer.read().decode()


def test_a_mail_is_caught(mailing: World):
    assert mailing.browser().get("/write/first/").text == "1"
    assert "first" in caught(mailing)
    assert "you@example.com" in caught(mailing)


def test_starttls_with_the_catchers_own_certificate(mailing: World):
    mailing.nuages("config", "smtp-integrator", "transport_security=starttls")
    eventually("a mail by TLS", lambda: mailing.browser().get("/write/second/").text == "1", seconds=60)
    assert "second" in caught(mailing)


def test_a_changed_password_and_mails_kept_over_down(mailing: World):
    mailing.nuages("run", "smtp-integrator/0", "rotate-password")
    assert mailing.browser().get("/write/third/").text == "1"
    mailing.nuages("down")
    mailing.up()
    page = caught(mailing)
    assert all(subject in page for subject in ("first", "second", "third"))
    assert mailing.browser().get("/write/fourth/").text == "1"


def test_a_removed_relation_blocks_until_it_is_back(mailing: World):
    mailing.nuages("remove-relation", "notes", "smtp-integrator")
    mailing.becomes("notes/0", "blocked")
    mailing.up()
    eventually("a mail again", lambda: mailing.browser().get("/write/fifth/").text == "1", seconds=60)
