"""What a hook leaves: everything at once when it succeeds, only what does not wait when it fails or is killed."""

import asyncio
import json
from dataclasses import replace

import pytest

from nuages.engine import lifecycle
from nuages.engine.dispatch import Outcome
from nuages.engine.hooks.tools import run
from nuages.engine.state import Hook, Operation
from tests.engine.hooks.stage import Stage, grown
from tests.engine.simulation import World

HOOK = Hook("config-changed")
BUFFERED = (
    ["relation-set", "-r", "ask:2", "said=new"],
    ["relation-set", "-r", "ask:2", "--app", "told=new"],
    ["state-set", "memory=new"],
    ["open-port", "8000/tcp"],
    ["secret-add", "--label", "fresh", "key=new"],
    ["secret-set", "{kept}", "key=new"],
    ["secret-grant", "{kept}", "-r", "ask:2"],
    ["secret-remove", "{gone}"],
)
IMMEDIATE = (
    ["status-set", "blocked", "as asked"],
    ["status-set", "--application", "waiting", "as asked too"],
    ["application-version-set", "1.2"],
    ["juju-log", "hello"],
    ["secret-get", "{theirs}", "--label", "theirs"],
)


@pytest.fixture
def stage(tmp_path):
    world = World().deploy("one").deploy("two")
    number = world.integrate("one:ask", "two:serve")
    assert number == 2
    world.pod("one/0", "two/0")
    stage = Stage(tmp_path, grown(world))
    stage.names = {}
    for name, unit, *more in (
        ("kept", "one/0"),
        ("gone", "one/0"),
        ("theirs", "two/0", ["secret-grant", "{theirs}", "-r", "2"]),
    ):
        context = stage_context(stage, unit)
        stage.names[name] = tool(context, stage, ["secret-add", "key=old"]).out.strip()
        for argv in more:
            tool(context, stage, argv)
        stage.apply(context.replay)
    return stage


def stage_context(stage, unit):
    from tests.engine.simulation import HookContext, RemoteCache, Silent

    class Sink(Silent):
        def apply(self, write):
            stage.apply(write)

    return HookContext(stage.model, unit, HOOK, Sink(stage), cache=RemoteCache(), resources={})


def tool(context, stage, argv):
    reply = run(context, argv[0], [word.format_map(stage.names) for word in argv[1:]], {}, None)
    assert reply.code == 0, (argv, reply)
    return reply


def dispatching(stage, code, *, during=lambda: None):
    """Make the unit's dispatch call every tool, and end with this code."""

    async def dispatch(pod, context, tasks):
        for argv in (*BUFFERED, *IMMEDIATE):
            tool(context, stage, argv)
        during()
        return Outcome(code)

    return dispatch


def hook(stage, code, hook=HOOK, **more):
    async def work():
        async with stage.unit("one/0") as runner:
            runner._dispatch = dispatching(stage, code, **more)
            await runner.run(None, hook)

    asyncio.run(work())


def buffered(stage):
    """Return what the buffered writes of the hook made of the model."""
    model = stage.model
    bags = model.relations[2].bags
    kept = model.secrets[stage.names["kept"].removeprefix("secret:")]
    return {
        "unit bag": bags["one/0"].data.get("said"),
        "application bag": bags["one"].data.get("told") if "one" in bags else None,
        "memory": model.units["one/0"].memory.get("memory"),
        "ports": model.units["one/0"].ports,
        "added": [secret.label for secret in model.secrets.values() if secret.label],
        "revision": kept.latest,
        "granted": dict(kept.grants),
        "removed": stage.names["gone"].removeprefix("secret:") not in model.secrets,
    }


NOTHING = {
    "unit bag": None,
    "application bag": None,
    "memory": None,
    "ports": (),
    "added": [],
    "revision": 1,
    "granted": {},
    "removed": False,
}
EVERYTHING = {
    "unit bag": "new",
    "application bag": "new",
    "memory": "new",
    "ports": ("8000/tcp",),
    "added": ["fresh"],
    "revision": 2,
    "granted": {"two": 2},
    "removed": True,
}


def immediate(stage):
    model = stage.model
    theirs = model.secrets[stage.names["theirs"].removeprefix("secret:")]
    consumer = theirs.consumers.get("one/0")
    return (
        model.units["one/0"].status.message,
        model.applications["one"].status and model.applications["one"].status.message,
        model.applications["one"].version,
        ("INFO", "hello") in stage.records(),
        consumer and (consumer.revision, consumer.label),
    )


DONE = ("as asked", "as asked too", "1.2", True, (1, "theirs"))


def test_a_hook_that_succeeds_commits_everything_in_one_transaction(stage):
    statements, states = [], []
    stage.world.store._db.set_trace_callback(statements.append)
    stage.world.store.listeners.append(lambda old, new: states.append(buffered(stage)))
    hook(stage, 0)
    assert {json.dumps(state) for state in states} == {json.dumps(NOTHING), json.dumps(EVERYTHING)}
    transactions = "\n".join(statements).split("BEGIN IMMEDIATE")
    words = [
        [word for word in ("said", "told", "memory", "8000/tcp", "fresh") if f'"{word}"' in text]
        for text in transactions
    ]
    assert [found for found in words if "8000/tcp" in found] == [["said", "told", "memory", "8000/tcp", "fresh"]]
    stage.reopened()
    assert (buffered(stage), immediate(stage)) == (EVERYTHING, DONE)
    assert stage.model.units["one/0"].pending is None


def test_a_hook_that_fails_leaves_only_what_does_not_wait(stage):
    hook(stage, 1)
    stage.reopened()
    assert (buffered(stage), immediate(stage)) == (NOTHING, DONE)
    unit = stage.model.units["one/0"]
    assert (unit.pending.hook, unit.pending.failures, unit.agent.status) == (HOOK, 1, "error")
    # the same hook, and nothing else, until it succeeds
    stage.apply(lambda model: lifecycle.configure(model, "one", {"say": "other"}))
    assert stage.next("one/0") == HOOK
    assert stage.next("one/0", now=0) is None
    hook(stage, 1)
    assert stage.model.units["one/0"].pending.failures == 2
    hook(stage, 0)
    assert (buffered(stage), stage.model.units["one/0"].pending) == (EVERYTHING, None)


def test_a_hook_that_is_killed_leaves_the_same_and_repeats_at_once(stage):
    """As when the daemon dies: what the runner would have done after the hook never happens."""

    class Killed(BaseException):
        pass

    def kill():
        raise Killed

    with pytest.raises(Killed):
        hook(stage, 0, during=kill)
    stage.reopened()
    assert (buffered(stage), immediate(stage)) == (NOTHING, DONE)
    assert stage.model.units["one/0"].pending.failures == 0
    assert stage.next("one/0", now=0) == HOOK


def test_a_commit_that_is_refused_fails_the_hook(stage):
    """Leadership went to another unit while the hook ran: its writes to the application's secrets are void, all are."""

    def deposed():
        stage.apply(lambda model: model.with_application(replace(model.applications["one"], leader="one/1")))

    hook(stage, 0, during=deposed)
    assert buffered(stage) == NOTHING
    assert stage.model.units["one/0"].pending.failures == 1
    assert ("ERROR", "cannot commit config-changed: this unit is not the leader") in stage.records()


@pytest.mark.parametrize("code", [0, 1])
def test_the_stop_hook_of_a_pod_that_goes_never_holds_it(stage, code):
    """Whether it fails, or succeeds and may not commit, its pod is replaced all the same."""

    async def work():
        async with stage.unit("one/0") as runner:
            runner._dispatch = dispatching(stage, code, during=deposed)
            await runner.stop_hook(None, [])

    def deposed():
        stage.apply(lambda model: model.with_application(replace(model.applications["one"], leader="one/1")))

    asyncio.run(work())
    assert buffered(stage) == NOTHING
    assert stage.model.units["one/0"].pending is None
    refusals = [text for level, text in stage.records() if text == "cannot commit stop: this unit is not the leader"]
    assert len(refusals) == (1 if code == 0 else 0)


def test_what_others_wrote_meanwhile_stays(stage):
    def meanwhile():
        context = stage_context(stage, "two/0")
        tool(context, stage, ["relation-set", "-r", "2", "said=theirs"])
        stage.apply(context.replay)
        stage.apply(lambda model: lifecycle.configure(model, "one", {"say": "meanwhile"}))

    hook(stage, 0, during=meanwhile)
    assert buffered(stage) == EVERYTHING
    assert stage.model.relations[2].bags["two/0"].data["said"] == "theirs"
    # and is told by hooks to come
    told = stage.model.units["one/0"].local
    assert told.config_version < stage.model.applications["one"].config_version
    assert told.relations[2].members["two/0"] < stage.model.relations[2].bags["two/0"].version


def test_a_relation_that_went_meanwhile_takes_its_writes_along(stage):
    def meanwhile():
        stage.apply(lambda model: replace(model, relations={key: v for key, v in model.relations.items() if key != 2}))

    hook(stage, 0, during=meanwhile)
    # the secret's grant was for that relation: the hook has failed, and will be another one the next time
    assert stage.model.units["one/0"].pending.failures == 1


@pytest.mark.parametrize(("code", "state"), [(0, EVERYTHING), (1, NOTHING)])
def test_an_action_commits_like_a_hook_and_never_puts_the_unit_in_error(stage, code, state):
    stage.apply(lambda model: model.with_operation(Operation("1", "one/0", "action", name="greet")))
    hook(stage, code, Hook("action", operation="1"))
    assert buffered(stage) == state
    unit = stage.model.units["one/0"]
    assert (unit.pending, unit.failed) == (None, False)
    assert stage.model.operations["1"].status == ("completed" if code == 0 else "failed")


def test_a_failed_pebble_hook_waits_and_is_raised_again(stage):
    ready = Hook("pebble-ready", container="work", boot_id="boot")
    hook(stage, 1, ready)
    assert buffered(stage) == NOTHING
    assert stage.model.units["one/0"].pending is None
    assert set(stage.runners["one/0"].held) == {"work"}
    assert stage.next("one/0", boot="boot") == ready


def test_the_debug_log_says_what_failed(stage):
    hook(stage, 3)
    failures = [text for level, text in stage.records() if level == "ERROR"]
    assert len(failures) == 1
    assert failures[0].startswith('hook "config-changed" of one/0 failed: exit code 3; again in ')
    assert "new" not in json.dumps(stage.records())
