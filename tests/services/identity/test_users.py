"""Test users: made at random, changed by actions, and what the provider is told of them."""

from __future__ import annotations

import json

import pytest

from nuages.services.driver import ServiceError
from nuages.services.identity import users
from tests.services.fakes import FakeContext


def made() -> FakeContext:
    return FakeContext(None, unit="hydra/0")


def test_the_first_two_have_passwords_that_nobody_knows_beforehand():
    first, second = users.read(made()), users.read(made())
    assert [user.name for user in first] == ["alice", "bob"]
    known = {user.password for user in (*first, *second)}
    assert len(known) == 4
    assert all(len(word) == 12 for word in known)
    assert len({user.id for user in (*first, *second)}) == 4


def test_they_stay_who_they_are():
    context = made()
    assert users.read(context) == users.read(context)
    assert users.document(users.read(context)) == users.document(users.read(context))


def test_a_unit_that_does_not_lead_makes_none():
    context = made()
    context.is_leader = False
    assert users.read(context) == ()


def test_the_provider_is_told_no_password():
    context = made()
    text = users.document(users.read(context))
    shown = users.act(context, "show-users", {})
    assert shown["alice"]["email"] == "alice@example.com"
    assert shown["alice"]["groups"] == "staff, admins"
    for user in users.read(context):
        assert shown[user.name]["password"] == user.password
        assert user.password not in text
    assert set(json.loads(text)["bob"]) == {
        "name", "id", "email", "given_name", "family_name", "groups", "salt", "hash",
    }  # fmt: skip


def test_a_user_is_added_changed_and_removed():
    context = made()
    users.act(context, "set-user", {"username": "carol", "groups": "a, b,", "given-name": "Carol"})
    carol = users.read(context)[-1]
    assert (carol.name, carol.email, carol.given_name, carol.groups) == (
        "carol", "carol@example.com", "Carol", ("a", "b"),
    )  # fmt: skip
    told = users.act(context, "set-user", {"username": "carol", "password": "long enough", "family-name": "Cook"})
    changed = users.read(context)[-1]
    assert told == {"carol": {
        "password": "long enough", "email": "carol@example.com", "name": "Carol Cook", "groups": "a, b",
    }}  # fmt: skip
    assert (changed.id, changed.groups) == (carol.id, carol.groups)
    assert changed.hash != carol.hash
    assert users.act(context, "remove-user", {"username": "carol"}) == {"removed": "carol"}
    assert [user.name for user in users.read(context)] == ["alice", "bob"]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"username": ""}, "username must be a name"),
        ({"username": " a"}, "username must be a name"),
        ({"username": "a\nb"}, "username must be a name"),
        ({"username": "a" * 201}, "username must be a name"),
        ({"username": "a", "email": "x\0"}, "email must be one line"),
        ({"username": "a", "password": ""}, "password must not be empty"),
    ],
)
def test_users_that_cannot_be(params: dict[str, str], words: str):
    with pytest.raises(ServiceError, match=words):
        users.act(made(), "set-user", params)


def test_somebody_unknown_cannot_be_removed():
    with pytest.raises(ServiceError, match="cannot remove 'zoe': the users are alice, bob"):
        users.act(made(), "remove-user", {"username": "zoe"})
