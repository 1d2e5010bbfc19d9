"""Passwords that change twice before anybody has followed: nobody is left out, and nothing serves for ever."""

from __future__ import annotations

import pytest

from nuages.errors import NuagesError
from nuages.services import logins, passwords
from nuages.services.passwords import GRACE, Passwords
from tests.services.fakes import FakeContext, FakeRelation

LABEL = "valkey-client.3.secret-user"
KEY = "secret-user"
NAMES = ("relation-3", "relation-3-2")


class Clock:
    """What the modules take for the time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        for module in (passwords, logins):
            monkeypatch.setattr(module.time, "time", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def context() -> FakeContext:
    return FakeContext(None)


def step(context: FakeContext, *, change: bool = False, label: str = LABEL) -> Passwords:
    """One hook or action: what it reads is what it leaves."""
    found = passwords.read(context, label, change=change)
    passwords.keep(context, label, found)
    context.set_secret(label, {"password": found.present})
    return found


def test_every_earlier_password_serves_until_its_own_minute_is_over(clock: Clock, context: FakeContext) -> None:
    first = step(context).present
    second = step(context, change=True).present
    clock.now += 20
    third = step(context, change=True).present
    clock.now += 20
    fourth = step(context, change=True).present
    assert len({first, second, third, fourth}) == 4
    assert step(context).all == (fourth, third, second, first)
    clock.now = 1000 + GRACE
    assert step(context).all == (fourth, third, second)
    clock.now = 1020 + GRACE
    assert step(context).all == (fourth, third)
    clock.now = 1040 + GRACE
    assert step(context).all == (fourth,)
    assert list(context.secrets) == [LABEL]


def test_a_change_forgets_what_is_over_and_each_user_has_its_own(clock: Clock, context: FakeContext) -> None:
    first, other = step(context).present, step(context, label="other").present
    second = step(context, change=True).present
    clock.now += GRACE + 1
    third = step(context, change=True).present
    assert step(context).all == (third, second)
    assert step(context, label="other").all == (other,)
    assert first not in str(context.secrets)
    passwords.forget(context, LABEL)
    assert list(context.secrets) == ["other"]


def test_what_an_older_version_has_remembered_still_serves(clock: Clock, context: FakeContext) -> None:
    context.set_secret(LABEL, {"password": "new"})
    context.set_secret(f"{LABEL}.before", {"password": "old", "until": "1030.5"})
    assert passwords.read(context, LABEL).all == ("new", "old")
    assert step(context, change=True).all[1:] == ("new", "old")
    clock.now = 1030.5
    assert step(context).all[1:] == ("new",)


def login(context: FakeContext, relation: FakeRelation, *, change: bool = False) -> tuple[logins.Login, ...]:
    found = logins.read(context, relation, KEY, NAMES, change=change)
    logins.keep(context, relation, KEY, found)
    context.set_secret(f"database.3.{KEY}", {"username": found[0].name, "password": found[0].password})
    return found


def test_users_that_take_turns_change_again_when_the_one_before_has_gone(clock: Clock, context: FakeContext) -> None:
    relation = FakeRelation(3)
    (first,) = login(context, relation)
    second, before = login(context, relation, change=True)
    assert (first.name, second.name) == NAMES
    assert (before.name, before.password, before.until) == (first.name, first.password, 1000 + GRACE)
    clock.now += 20.5
    with pytest.raises(NuagesError, match=r"password of notes again yet: .* serves for another 40 s") as refused:
        login(context, relation, change=True)
    assert refused.value.fix == "repeat it in 40 s"
    assert login(context, relation) == (second, before)
    clock.now = 1000 + GRACE
    third, before = login(context, relation, change=True)
    assert (third.name, before.name, before.password) == (first.name, second.name, second.password)
    assert third.password != first.password
