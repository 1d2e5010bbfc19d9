"""Secrets as charms handle them."""

import json

import pytest
import yaml

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


def secret(world, uri):
    return world.model.secrets[uri.removeprefix("secret:")]


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
        {"target": "application-one", "scope": "relation-one.ask#two.serve", "role": "view"}
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


def test_a_hook_makes_one_revision_at_most(world):
    uri = done(world, "two/0", "secret-add", key="first")
    context = world.context("two/0")
    for value in ("second", "third", "fourth"):
        assert call(context, "secret-set", uri, key=value).code == 0
    assert json.loads(call(context, "secret-get", uri, "--format=json").out) == {"key": "fourth"}
    fresh = call(context, "secret-add", key="a").out.strip()
    assert call(context, "secret-set", fresh, key="b").code == 0
    world.model = context.replay(world.model)
    revisions = secret(world, uri).revisions
    assert {number: revision.content["key"] for number, revision in revisions.items()} == {1: "first", 2: "fourth"}
    assert {number: found.content["key"] for number, found in secret(world, fresh).revisions.items()} == {1: "b"}
    done(world, "two/0", "secret-set", uri, key="fifth")
    assert secret(world, uri).latest == 3


def test_setting_the_same_first_does_not_overwrite_what_is_there(world):
    uri = done(world, "two/0", "secret-add", key="first")
    context = world.context("two/0")
    for value in ("first", "second"):
        assert call(context, "secret-set", uri, key=value).code == 0
    world.model = context.replay(world.model)
    assert {number: r.content["key"] for number, r in secret(world, uri).revisions.items()} == {1: "first", 2: "second"}


def test_reading_what_the_hook_has_set_does_not_survive_its_failure(world):
    """Else the next real revision of this number would come without secret-changed."""
    uri = done(world, "two/0", "secret-add", key="first")
    context = world.context("two/0")
    assert call(context, "secret-set", uri, key="lost").code == 0
    assert call(context, "secret-get", uri).code == 0
    assert "two/0" not in secret(world, uri).consumers
    done(world, "two/0", "secret-set", uri, key="second")
    assert secret(world, uri).latest == 2


def test_an_expiry_alone_makes_no_revision_and_one_with_equal_content_counts(world):
    uri = done(world, "two/0", "secret-add", key="v")
    done(world, "two/0", "secret-set", uri, "--expire", "1h")
    assert secret(world, uri).revisions[1].expire > 0
    done(world, "two/0", "secret-set", uri, "--expire", "2035-01-01T00:00:00Z", key="v")
    assert secret(world, uri).revisions[1].expire == 2051222400
    assert secret(world, uri).latest == 1
    done(world, "two/0", "secret-set", uri, "--expire", "2035-01-01T00:00:00", "--label", "later")
    assert (secret(world, uri).revisions[1].expire, secret(world, uri).label) == (2051222400, "later")


def test_grants_to_units_and_to_their_application(world):
    number = str(world.number)
    uri = done(world, "two/0", "secret-add", key="v")
    done(world, "two/0", "secret-grant", uri, "-r", number, "--unit", "one/0")
    reply = call(world.context("two/0"), "secret-grant", uri, "-r", number)
    assert (reply.code, reply.err.startswith("ERROR any unit level grants need to be revoked")) == (1, True)
    done(world, "two/0", "secret-revoke", uri, "--unit", "one/0")
    done(world, "two/0", "secret-grant", uri, "-r", number)
    done(world, "two/0", "secret-grant", uri, "-r", number)
    # the application's grant covers the unit: no more is noted, so that revoking it takes everything
    done(world, "two/0", "secret-grant", uri, "-r", number, "--unit", "one/0")
    assert dict(secret(world, uri).grants) == {"one": world.number}
    done(world, "two/0", "secret-revoke", uri, "-r", number)
    assert get(world, "one/0", uri) == "ERROR permission denied\n"
    reply = call(world.context("two/0"), "secret-grant", uri, "-r", number, "--unit", "three/0")
    assert reply.code == 1
    assert call(world.context("two/0"), "secret-grant", uri, "-r", "99").code == 2


def test_who_may_no_longer_read_is_told_nothing_and_tracks_nothing(world):
    uri = done(world, "two/0", "secret-add", key="old")
    done(world, "two/0", "secret-grant", uri, "-r", str(world.number))
    assert get(world, "one/0", uri) == {"key": "old"}
    world.model = lifecycle.remove_relation(world.model, world.number, world.now)
    world.run()
    assert secret(world, uri).consumers == {}
    done(world, "two/0", "secret-set", uri, key="new")
    assert world.run() == ["two/0 secret-remove"]


def test_a_unit_that_is_gone_tracks_nothing_and_its_name_comes_back_clean(world):
    uri = done(world, "two/0", "secret-add", key="old")
    done(world, "two/0", "secret-grant", uri, "-r", str(world.number))
    own = done(world, "one/1", "secret-add", "--owner", "unit", key="mine")
    assert get(world, "one/1", uri) == {"key": "old"}
    done(world, "two/0", "secret-set", uri, key="new")
    world.model = lifecycle.scale(world.model, "one", 1, world.now)
    lines = world.run()
    assert "two/0 secret-remove" in lines
    assert own.removeprefix("secret:") not in world.model.secrets
    world.model = lifecycle.scale(world.model, "one", 2, world.now)
    world.pod("one/1")
    world.run()
    assert get(world, "one/1", uri) == {"key": "new"}


def test_a_pinned_revision_that_was_removed_is_not_found(world):
    uri = done(world, "two/0", "secret-add", key="old")
    done(world, "two/0", "secret-grant", uri, "-r", str(world.number))
    get(world, "one/0", uri)
    done(world, "two/0", "secret-set", uri, key="new")
    done(world, "two/0", "secret-remove", uri, "--revision", "1")
    assert "revision 1 not found" in get(world, "one/0", uri)
    assert get(world, "one/0", uri, "--refresh") == {"key": "new"}
    done(world, "two/0", "secret-remove", uri, "--revision", "2")
    assert "not found" in get(world, "two/0", uri)


def test_labels(world):
    number = str(world.number)
    uris = [done(world, "two/0", "secret-add", "--label", f"own{i}", key=str(i)) for i in range(2)]
    for uri in uris:
        done(world, "two/0", "secret-grant", uri, "-r", number)
    reply = call(world.context("two/0"), "secret-add", "--label", "own0", key="x")
    assert (reply.code, reply.err) == (1, 'ERROR secret with label "own0" already exists\n')
    assert call(world.context("two/0"), "secret-set", uris[0], "--label", "own1").code == 1
    assert call(world.context("two/0"), "secret-set", uris[0], "--label", "own0").code == 0
    # another application's labels and a unit's own are other names
    done(world, "one/0", "secret-add", "--label", "own0", key="x")
    done(world, "two/1", "secret-add", "--label", "own0", "--owner", "unit", key="x")
    # a reader's label belongs to the secret that was given it last
    assert get(world, "one/0", uris[0], "--label", "theirs") == {"key": "0"}
    assert get(world, "one/0", uris[1], "--label", "theirs") == {"key": "1"}
    assert get(world, "one/0", "--label", "theirs") == {"key": "1"}
    assert get(world, "one/1", "--label", "theirs") == 'ERROR secret with label "theirs" not found\n'
    # information is found by the owner's label, never by a reader's
    reply = call(world.context("one/0"), "secret-info-get", "--label", "theirs")
    assert (reply.code, reply.err) == (1, 'ERROR secret with label "theirs" not found\n')


@pytest.mark.parametrize("form", ["secret:{}", "{}", "secret://f0f0/{}"])
def test_ways_to_name_a_secret(world, form):
    uri = done(world, "two/0", "secret-add", key="v")
    assert get(world, "two/0", form.format(uri.removeprefix("secret:"))) == {"key": "v"}


def test_parts_of_a_secret(world):
    uri = done(world, "two/0", "secret-add", "key#base64=aMO8", word="x\n")
    assert call(world.context("two/0"), "secret-get", uri, "key").out == "hü\n"
    assert call(world.context("two/0"), "secret-get", uri, "key#base64").out == "aMO8\n"
    assert yaml.safe_load(call(world.context("two/0"), "secret-get", uri).out) == {"key": "hü", "word": "x\n"}
    long = done(world, "two/0", "secret-add", key="word " * 100)
    assert call(world.context("two/0"), "secret-get", long, "key").out == f"'{'word ' * 100}'\n"
    reply = call(world.context("two/0"), "secret-get", uri, "other")
    assert (reply.code, reply.err) == (1, 'ERROR secret key "other" not found\n')


def test_content_from_a_file_of_settings(world):
    reply = run(world.context("two/0"), "secret-add", ["--file", "/x", "a-bc=1"], {}, b"user-name: u\nport: 5432\n")
    assert reply.code == 0
    context = world.context("two/0")
    uri = run(context, "secret-add", ["--file=-"], {}, b'{"key": "v"}').out.strip()
    assert json.loads(call(context, "secret-get", uri, "--format=json").out) == {"key": "v"}


READERS = ("two/0", "two/1", "one/0", "one/1", "three/0")
TABLE = {
    # owner, granted to: who reads, who manages
    ("application", None): ({"two/0", "two/1"}, {"two/0"}),
    ("application", "one"): ({"two/0", "two/1", "one/0", "one/1"}, {"two/0"}),
    ("application", "one/1"): ({"two/0", "two/1", "one/1"}, {"two/0"}),
    ("unit", None): ({"two/0"}, {"two/0"}),
    ("unit", "one"): ({"two/0", "one/0", "one/1"}, {"two/0"}),
    ("unit", "one/1"): ({"two/0", "one/1"}, {"two/0"}),
}


@pytest.mark.parametrize(("owner", "target"), TABLE)
def test_who_may_do_what(world, owner, target):
    world.deploy("three")
    world.pod("three/0")
    world.run()
    uri = done(world, "two/0", "secret-add", "--owner", owner, key="v")
    if target is not None:
        unit = ["--unit", target] if "/" in target else []
        done(world, "two/0", "secret-grant", uri, "-r", str(world.number), *unit)
    readers = {unit for unit in READERS if call(world.context(unit), "secret-get", uri, "--peek").code == 0}
    changes = (["secret-set", uri, "--label", "x"], ["secret-remove", uri], ["secret-revoke", uri, "--app", "one"])
    managers = [{unit for unit in READERS if call(world.context(unit), *argv).code == 0} for argv in changes]
    informed = {unit for unit in READERS if call(world.context(unit), "secret-info-get", uri).code == 0}
    listed = {unit for unit in READERS if call(world.context(unit), "secret-ids").out != "[]\n"}
    assert readers == TABLE[owner, target][0]
    assert [*managers, informed, listed] == [TABLE[owner, target][1]] * 5


def test_owners_hooks_of_the_applications_secrets_run_on_its_leader_only(world):
    uri = done(world, "two/0", "secret-add", "--rotate", "daily", "--expire", "1h", key="v")
    done(world, "two/0", "secret-set", uri, key="w")
    world.now = secret(world, uri).rotate_at + 1
    lines = [line for line in world.run() if "secret" in line]
    assert sorted(lines) == ["two/0 secret-expired", "two/0 secret-remove", "two/0 secret-rotate"]


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
