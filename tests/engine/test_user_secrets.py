"""A user's secrets: names, revisions, grants, what charms hear of them, and what is shown."""

import json

import pytest

from nuages.engine import grants, lifecycle, secret_documents, user_secrets
from nuages.engine.errors import EngineError
from nuages.engine.hooks.tools import run
from nuages.engine.secrets import SecretError
from nuages.engine.state import MODEL_SCOPE
from tests.engine.simulation import World

ID = "d0erdgfmp25c762i8np0"
URI = f"secret:{ID}"
ENDS = {"ask": {"interface": "talk", "limit": 1}, "more": {"interface": "talk"}}


@pytest.fixture
def world():
    world = World().deploy("one", units=2, requires=ENDS).deploy("two")
    world.number = world.integrate("one:ask", "two:serve")
    world.pod("one/0", "one/1", "two/0")
    world.run()
    world.model = user_secrets.add(world.model, ID, "token", content={"key": "old"}, description="about", now=world.now)
    return world


def update(world, identifier="token", **changes):
    given = {"content": {}, "name": "", "description": "", "auto_prune": None, "now": world.now, **changes}
    world.model = lifecycle.settle(user_secrets.update(world.model, identifier, **given), world.now)


def read(world, unit, *argv):
    reply = run(world.context(unit), "secret-get", [URI, "--format=json", *argv], {}, None)
    return json.loads(reply.out)["key"] if reply.code == 0 else reply.err


def test_nobody_reads_it_without_a_grant_and_a_grant_sends_no_hook(world):
    assert read(world, "one/0") == "ERROR permission denied\n"
    world.model = user_secrets.grant(world.model, "token", ["one"])
    assert world.run() == []
    assert (read(world, "one/0"), read(world, "one/1")) == ("old", "old")
    assert read(world, "two/0") == "ERROR permission denied\n"
    world.model = user_secrets.revoke(world.model, URI, ["one"])
    assert read(world, "one/0") == "ERROR permission denied\n"


def test_only_those_that_have_read_it_hear_of_a_new_revision(world):
    world.model = user_secrets.grant(world.model, ID, ["one", "two"])
    read(world, "one/0")
    update(world, content={"key": "new"})
    assert world.run() == ["one/0 secret-changed"]
    assert read(world, "one/0") == "old"  # pinned until it asks for the newest
    assert read(world, "one/0", "--refresh") == "new"
    assert read(world, "one/1") == "new"
    update(world, content={"key": "new"})
    assert world.model.secrets[ID].latest == 2
    assert world.run() == []


def test_who_lost_the_grant_hears_nothing_and_goes_on_where_it_was(world):
    world.model = user_secrets.grant(world.model, ID, ["one"])
    read(world, "one/0")
    world.model = user_secrets.revoke(world.model, ID, ["one"])
    update(world, content={"key": "new"})
    assert world.run() == []
    world.model = user_secrets.grant(world.model, ID, ["one"])
    assert world.run() == ["one/0 secret-changed"]
    assert read(world, "one/0") == "old"


def test_charms_do_not_manage_it_and_its_name_is_not_their_label(world):
    world.model = user_secrets.grant(world.model, ID, ["one"])
    for argv in (["secret-set", URI, "key=x"], ["secret-remove", URI], ["secret-revoke", URI, "--app", "one"]):
        reply = run(world.context("one/0"), argv[0], argv[1:], {}, None)
        assert (reply.code, reply.err) == (1, "ERROR permission denied\n")
    assert run(world.context("one/0"), "secret-get", ["--label", "token"], {}, None).code == 1
    assert run(world.context("one/0"), "secret-info-get", [URI], {}, None).code == 1
    assert json.loads(run(world.context("one/0"), "secret-ids", ["--format=json"], {}, None).out) == []


def test_revisions_stay_until_pruning_is_asked_for(world):
    world.model = user_secrets.grant(world.model, ID, ["one"])
    read(world, "one/0")
    for value in ("second", "third", "fourth"):
        update(world, content={"key": value})
    assert sorted(world.model.secrets[ID].revisions) == [1, 2, 3, 4]
    update(world, auto_prune=True)
    assert sorted(world.model.secrets[ID].revisions) == [1, 4]  # the first one is still read
    world.run()
    read(world, "one/0", "--refresh")
    world.model = lifecycle.settle(world.model, world.now)
    assert sorted(world.model.secrets[ID].revisions) == [4]
    assert all("secret-remove" not in line for line in world.log)


def test_removing_a_revision_never_frees_its_number(world):
    update(world, content={"key": "second"})
    world.model = user_secrets.remove(world.model, "token", 2)
    world.model = user_secrets.grant(world.model, ID, ["one"])
    assert read(world, "one/0") == f'ERROR secret "{ID}" revision 2 not found\n'
    update(world, content={"key": "third"})
    assert sorted(world.model.secrets[ID].revisions) == [1, 3]
    with pytest.raises(SecretError, match="revision 2 not found"):
        user_secrets.remove(world.model, "token", 2)
    world.model = user_secrets.remove(world.model, "token", 1)
    world.model = user_secrets.remove(world.model, "token", 3)
    assert ID not in world.model.secrets


def test_names_are_unique_and_can_change(world):
    other = "d0erdgfmp25c762i8np1"
    with pytest.raises(SecretError, match='secret with name "token" already exists'):
        user_secrets.add(world.model, other, "token", content={"key": "v"}, description="", now=0)
    world.model = user_secrets.add(world.model, other, "second", content={"key": "v"}, description="", now=0)
    with pytest.raises(SecretError, match='secret with name "token" already exists'):
        update(world, "second", name="token")
    update(world, "token", name="first", description="changed")
    assert user_secrets.owned(world.model, "first").description == "changed"
    with pytest.raises(SecretError, match='secret "token" not found'):
        user_secrets.owned(world.model, "token")


@pytest.mark.parametrize(
    ("work", "text"),
    [
        (
            lambda m: user_secrets.update(m, "token", **NOTHING),
            "must specify a new value or metadata to update a secret",
        ),
        (lambda m: user_secrets.update(m, "token", **{**NOTHING, "content": {"K": "hidden"}}), 'key "K" not valid'),
        (lambda m: user_secrets.grant(m, "token", ["nope"]), 'for "nope": application "nope" not found'),
        (lambda m: user_secrets.revoke(m, "nope", ["one"]), 'secret "nope" not found'),
        (lambda m: user_secrets.remove(m, "secret:d0erdgfmp25c762i8nzz", None), "not found"),
        (lambda m: user_secrets.add(m, "x", "", content={"key": "hidden"}, description="", now=0), "its name is empty"),
        (lambda m: user_secrets.add(m, "x", "n", content={}, description="", now=0), "missing secret value"),
    ],
)
def test_errors(world, work, text):
    with pytest.raises(EngineError) as caught:
        work(world.model)
    assert text in str(caught.value)
    assert "hidden" not in str(caught.value)


NOTHING = {"content": {}, "name": "", "description": "", "auto_prune": None, "now": 0}


def test_a_charms_secret_is_its_own_affair(world):
    reply = run(world.context("one/0"), "secret-add", ["key=v", "--label", "mine"], {}, None)
    context = world.context("one/0")
    uri = run(context, "secret-add", ["key=v", "--label", "mine"], {}, None).out.strip()
    world.model = context.replay(world.model)
    assert reply.code == 0
    for work in (
        lambda: user_secrets.remove(world.model, uri, None),
        lambda: user_secrets.grant(world.model, uri, ["two"]),
        lambda: update(world, uri, content={"key": "w"}),
    ):
        with pytest.raises(SecretError, match="permission denied: it belongs to one"):
            work()
    shown = secret_documents.details(world.model, "mine", revision=None, revisions=False, reveal=True)
    (document,) = shown.values()
    assert (document["owner"], document["label"], document["content"]) == ("one", "mine", {"Data": {"key": "v"}})
    assert "name" not in document


def test_an_application_that_goes_takes_its_grants_along(world):
    world.model = user_secrets.grant(world.model, ID, ["one", "two"])
    read(world, "one/0")
    world.model = lifecycle.remove_application(world.model, "one", world.now)
    world.run()
    assert dict(world.model.secrets[ID].grants) == {"two": MODEL_SCOPE}
    assert world.model.secrets[ID].consumers == {}
    with pytest.raises(EngineError, match='application "one" not found'):
        user_secrets.grant(world.model, ID, ["one"])


def test_documents(world):
    update(world, content={"key": "new"})
    world.model = user_secrets.grant(world.model, ID, ["one"])
    listed = secret_documents.listing(world.model, "", revisions=False)
    assert listed == {
        ID: {
            "revision": 2,
            "rotation": "never",
            "owner": "<model>",
            "description": "about",
            "name": "token",
            "created": "1970-01-01T00:16:40Z",
            "updated": "1970-01-01T00:16:40Z",
        }
    }
    assert list(listed[ID]) == ["revision", "rotation", "owner", "description", "name", "created", "updated"]
    shown = secret_documents.details(world.model, URI, revision=1, revisions=False, reveal=True)[ID]
    assert (shown["revision"], shown["content"]) == (2, {"Data": {"key": "old"}})
    assert shown["access"] == [{"target": "application-one", "scope": "model-uuid", "role": "view"}]
    plain = secret_documents.details(world.model, "token", revision=None, revisions=True, reveal=False)[ID]
    assert [each["revision"] for each in plain["revisions"]] == [1, 2]
    assert plain["revisions"][0]["backend"] == "dev-local"
    assert "content" not in plain
    assert "old" not in json.dumps(plain)
    assert secret_documents.listing(world.model, "application-one", revisions=False) == {}
    for owner in ("one", "application-", "unit-one", "unit-one-x", "model-x"):
        with pytest.raises(SecretError, match="invalid owner"):
            secret_documents.listing(world.model, owner, revisions=False)
    with pytest.raises(SecretError, match="revision 9 not found"):
        secret_documents.details(world.model, "token", revision=9, revisions=False, reveal=True)
    with pytest.raises(SecretError, match='secret "nope" not found'):
        secret_documents.details(world.model, "nope", revision=None, revisions=False, reveal=False)


def test_a_reader_has_one_grant_and_another_relation_fails_the_hook(world):
    """Juju keeps one permission for each secret and reader, and finds out when the hook's changes are flushed."""
    context = world.context("two/0")
    uri = run(context, "secret-add", ["key=v"], {}, None).out.strip()
    assert run(context, "secret-grant", [uri, "-r", str(world.number)], {}, None).code == 0
    world.model = context.replay(world.model)
    number = world.integrate("one:more", "two:serve")
    world.run()
    context = world.context("two/0")
    assert run(context, "secret-grant", [uri, "-r", str(number)], {}, None).code == 0
    with pytest.raises(SecretError, match="cannot change secret permission scope"):
        context.replay(world.model)
    context = world.context("two/0")
    assert run(context, "secret-revoke", [uri, "--app", "one"], {}, None).code == 0
    assert run(context, "secret-grant", [uri, "-r", str(number)], {}, None).code == 0
    world.model = context.replay(world.model)
    assert dict(world.model.secrets[uri.removeprefix("secret:")].grants) == {"one": number}
    grants.check_scope(world.model, "two/0", uri, number, None)
