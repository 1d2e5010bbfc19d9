"""Secrets as charms handle them."""

import json

import pytest

from nuages.engine import lifecycle
from nuages.engine.hooks.tools import run
from nuages.engine.state import Hook
from tests.engine.simulation import World


@pytest.fixture
def world():
    world = World().deploy("one", units=2).deploy("two", units=2)
    world.number = world.integrate("one:ask", "two:serve")
    world.pod("one/0", "one/1", "two/0", "two/1")
    world.run()
    return world


def call(context, name, *argv, **attached):
    files = {f"{key}#file=/tmp/{key}": value.encode() for key, value in attached.items()}
    return run(context, name, [*argv, *files], files, None)


def done(world, unit, name, *argv, **attached):
    context = world.context(unit)
    reply = call(context, name, *argv, **attached)
    assert reply.code == 0, reply
    world.model = context.replay(world.model)
    return reply.out.strip()


def get(world, unit, *argv):
    reply = call(world.context(unit), "secret-get", *argv, "--format=json")
    return json.loads(reply.out) if reply.code == 0 else reply.err


def test_a_secret_is_seen_in_its_own_hook_and_by_every_unit_later(world):
    context = world.context("two/0")
    uri = call(context, "secret-add", "--label", "mine", "--owner", "application", password="s3cret").out.strip()
    assert uri.startswith("secret:")
    assert len(uri) == len("secret:") + 20
    assert json.loads(call(context, "secret-get", "--label", "mine", "--format=json").out) == {"password": "s3cret"}
    assert "not found" in get(world, "two/0", uri)
    world.model = context.replay(world.model)
    assert get(world, "two/0", uri) == {"password": "s3cret"}
    assert get(world, "two/1", "--label", "mine") == {"password": "s3cret"}


def test_a_grant_is_needed_and_ends_with_the_relation(world):
    uri = done(world, "two/0", "secret-add", key="value")
    assert get(world, "one/0", uri) == "ERROR permission denied\n"
    done(world, "two/0", "secret-grant", uri, "--relation", str(world.number))
    assert get(world, "one/0", uri) == {"key": "value"}
    assert get(world, "one/1", uri) == {"key": "value"}
    world.model = lifecycle.remove_relation(world.model, world.number, world.now)
    world.run()
    assert get(world, "one/0", uri) == "ERROR permission denied\n"


def test_a_grant_to_one_unit(world):
    uri = done(world, "two/0", "secret-add", key="value")
    done(world, "two/0", "secret-grant", uri, "--relation", str(world.number), "--unit", "one/0")
    assert get(world, "one/0", uri) == {"key": "value"}
    assert get(world, "one/1", uri) == "ERROR permission denied\n"
    done(world, "two/0", "secret-revoke", uri, "--unit", "one/0")
    assert get(world, "one/0", uri) == "ERROR permission denied\n"


def test_the_first_read_pins_refresh_moves_peek_looks(world):
    uri = done(world, "two/0", "secret-add", key="old")
    done(world, "two/0", "secret-grant", uri, "-r", str(world.number))
    assert get(world, "one/0", uri, "--label", "theirs") == {"key": "old"}
    done(world, "two/0", "secret-set", uri, key="new")
    assert get(world, "one/0", "--label", "theirs") == {"key": "old"}
    assert get(world, "one/0", uri, "--peek") == {"key": "new"}
    assert get(world, "one/0", uri) == {"key": "old"}
    assert get(world, "one/0", uri, "--refresh") == {"key": "new"}
    assert get(world, "one/0", uri) == {"key": "new"}


def test_the_own_applications_secret_is_never_pinned(world):
    uri = done(world, "two/0", "secret-add", key="old")
    assert get(world, "two/1", uri) == {"key": "old"}
    done(world, "two/0", "secret-set", uri, key="new")
    assert get(world, "two/1", uri) == {"key": "new"}


def test_equal_content_makes_no_revision(world):
    uri = done(world, "two/0", "secret-add", key="same")
    done(world, "two/0", "secret-set", uri, key="same")
    secret = world.model.secrets[uri.removeprefix("secret:")]
    assert secret.latest == 1


def test_only_the_leader_manages_the_applications_secrets(world):
    uri = done(world, "two/0", "secret-add", "--label", "mine", key="value")
    other = world.context("two/1")
    for reply in (
        call(other, "secret-add", key="x"),
        call(other, "secret-set", uri, key="x"),
        call(other, "secret-remove", uri),
        call(other, "secret-grant", uri, "--relation", str(world.number)),
    ):
        assert (reply.code, reply.err) == (1, "ERROR this unit is not the leader\n")
    assert call(other, "secret-add", "--owner", "unit", key="x").code == 0
    reply = call(world.context("one/0"), "secret-set", uri, key="x")
    assert (reply.code, reply.err) == (1, "ERROR permission denied\n")
    assert "not found" in call(other, "secret-info-get", uri).err


def test_information_ids_and_removal(world):
    uri = done(world, "two/0", "secret-add", "--label", "mine", "--description", "about", "--rotate", "daily", key="v")
    done(world, "two/0", "secret-grant", uri, "-r", str(world.number))
    number = uri.removeprefix("secret:")
    shown = json.loads(call(world.context("two/0"), "secret-info-get", "--label", "mine", "--format=json").out)
    assert set(shown) == {number}
    assert shown[number]["access"] == [
        {"target": "application-one", "scope": f"relation-{world.number}", "role": "view"}
    ]
    assert (shown[number]["rotation"], shown[number]["description"]) == ("daily", "about")
    assert json.loads(call(world.context("two/0"), "secret-ids", "--format=json").out) == [number]
    done(world, "two/0", "secret-remove", uri)
    assert "not found" in get(world, "two/0", uri)


def test_rotation_is_due_once(world):
    uri = done(world, "two/0", "secret-add", "--rotate", "hourly", key="v")
    world.now = world.model.secrets[uri.removeprefix("secret:")].rotate_at + 1
    lines = world.run("two/0")
    assert lines.count("two/0 secret-rotate") == 1


def test_bad_content_names_the_key_and_never_the_value(world):
    for argv in (["K=hidden"], ["ke=hidden"], ["key#base64=hid*den"]):
        reply = call(world.context("two/0"), "secret-add", *argv)
        assert reply.code != 0
        assert "hid" not in reply.err
    assert call(world.context("two/0"), "secret-add").code == 2


def test_a_failed_hook_keeps_what_it_read_and_drops_what_it_wrote(world):
    uri = done(world, "two/0", "secret-add", key="old")
    done(world, "two/0", "secret-grant", uri, "-r", str(world.number))
    context = world.context("one/0", Hook("config-changed"))
    assert call(context, "secret-get", uri).code == 0
    assert call(context, "secret-add", key="dropped").code == 0
    # the context is thrown away: nothing is replayed
    secret = world.model.secrets[uri.removeprefix("secret:")]
    assert secret.consumers["one/0"].revision == 1
    assert len(world.model.secrets) == 1
