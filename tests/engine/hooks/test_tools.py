"""The hook tools, called as ops calls them: output, exit codes, error texts, who may do what."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.engine import lifecycle
from nuages.engine.hooks.tools import TOOLS, run
from nuages.engine.state import Hook, Operation
from tests.engine.simulation import World


@pytest.fixture
def world():
    world = World().deploy("one", units=2, config={"say": "hello"}).deploy("two")
    world.number = world.integrate("one:ask", "two:serve")
    world.pod("one/0", "one/1", "two/0")
    world.run()
    return world


def call(context, name, *argv, stdin=None, attached=None):
    return run(context, name, list(argv), attached or {}, None if stdin is None else stdin.encode())


def read(context, name, *argv):
    reply = call(context, name, *argv, "--format=json")
    assert reply.code == 0, reply
    return json.loads(reply.out)


def commit(world, context):
    world.model = context.replay(world.model)


def joined(world, unit="one/0"):
    return world.context(
        unit, Hook("relation-changed", relation=world.number, remote_unit="two/0", remote_application="two")
    )


def test_config(world):
    context = world.context("one/0")
    assert read(context, "config-get") == {"say": "hello", "fail-on": "", "wait-on": ""}
    assert read(context, "config-get", "say") == "hello"
    assert read(context, "config-get", "count") is None
    assert call(context, "config-get", "say").out == "hello\n"


def test_leadership(world):
    assert read(world.context("one/0"), "is-leader") is True
    assert call(world.context("one/1"), "is-leader").out == "False\n"


def test_relations_are_listed(world):
    context = world.context("one/0")
    assert read(context, "relation-ids", "ask") == [f"ask:{world.number}"]
    assert read(context, "relation-ids", "serve") == []
    assert read(context, "relation-list", "-r", f"ask:{world.number}") == ["two/0"]
    assert read(context, "relation-list", "-r", str(world.number), "--app") == "two"
    assert read(joined(world), "relation-ids") == [f"ask:{world.number}"]


@pytest.mark.parametrize("text", ["ask:99", "99", "nonsense", "ask:"])
def test_an_unknown_relation_is_a_usage_error(world, text):
    reply = call(world.context("one/0"), "relation-list", "-r", text)
    assert (reply.code, reply.err) == (2, f'ERROR invalid value "{text}" for option -r: relation not found\n')


def test_the_broken_relation_and_the_departing_unit_are_not_listed(world):
    broken = world.context("one/0", Hook("relation-broken", relation=world.number, remote_application="two"))
    assert read(broken, "relation-ids", "ask") == []
    departed = Hook("relation-departed", relation=world.number, remote_unit="two/0", remote_application="two")
    assert read(world.context("one/0", departed), "relation-list") == []


def test_own_writes_are_seen_at_once_and_committed_later(world):
    context = joined(world)
    assert call(context, "relation-set", "--file", "-", stdin='{"a": "1", "b": "2"}').code == 0
    assert read(context, "relation-get", "-", "one/0")["a"] == "1"
    assert "a" not in read(joined(world), "relation-get", "-", "one/0")
    commit(world, context)
    context = joined(world)
    assert call(context, "relation-set", "a=").code == 0
    commit(world, context)
    bag = read(joined(world), "relation-get", "-", "one/0")
    assert "a" not in bag
    assert bag["b"] == "2"
    assert bag["ingress-address"] == world.model.units["one/0"].address


def test_a_missing_key_is_null_and_an_empty_bag_is_an_object(world):
    assert read(joined(world), "relation-get", "nothing", "two/0") is None
    assert read(joined(world), "relation-get", "-", "two", "--app") == {}


def test_who_may_touch_application_bags(world):
    leader, other = joined(world), joined(world, "one/1")
    assert call(leader, "relation-set", "--app", "a=1").code == 0
    assert read(leader, "relation-get", "--app", "-", "one/0") == {"a": "1"}
    reply = call(other, "relation-set", "--app", "a=1")
    assert (reply.code, reply.err) == (1, "ERROR cannot write relation settings\n")
    reply = call(other, "relation-get", "--app", "-", "one")
    assert (reply.code, reply.err) == (1, "ERROR permission denied\n")
    peers = read(other, "relation-ids", "peers")[0]
    assert read(other, "relation-get", "-r", peers, "--app", "-", "one") == {}


def test_remote_unit_data_is_kept_until_its_changed_hook(world):
    context = world.context("one/0")
    before = read(context, "relation-get", "-r", f"ask:{world.number}", "-", "two/0")
    writer = world.context("two/0")
    assert call(writer, "relation-set", "-r", str(world.number), "late=1").code == 0
    commit(world, writer)
    again = world.context("one/0")
    assert read(again, "relation-get", "-r", f"ask:{world.number}", "-", "two/0") == before
    assert read(joined(world), "relation-get", "-", "two/0")["late"] == "1"


def test_status(world):
    context = world.context("one/0")
    assert call(context, "status-set", "--application=False", "blocked", "--", "no database").code == 0
    assert read(context, "status-get", "--include-data", "--application=false") == {
        "status": "blocked",
        "message": "no database",
        "status-data": {},
    }
    # seen at once, whatever becomes of the hook
    assert world.model.units["one/0"].status.message == "no database"
    assert call(context, "status-set", "--application=True", "active").code == 0
    shown = read(context, "status-get", "--include-data", "--application=true")["application-status"]
    assert (shown["status"], set(shown["units"])) == ("active", {"one/0", "one/1"})
    reply = call(context, "status-set", "error", "x")
    assert reply.err == 'ERROR invalid status "error", expected one of [maintenance blocked waiting active]\n'
    assert reply.code == 2
    reply = call(world.context("one/1"), "status-set", "--application=True", "active")
    assert (reply.code, reply.err) == (1, "ERROR this unit is not the leader\n")


def test_log_names_the_relation(world):
    context = joined(world)
    assert call(context, "juju-log", "--log-level", "WARNING", "--", "-x y").code == 0
    assert context.sink.lines == [("WARNING", f"ask:{world.number}: -x y")]


def test_ports(world):
    context = world.context("one/0")
    for port in ("8000/tcp", "53/udp", "9000", "icmp", "100-200/tcp"):
        assert call(context, "open-port", port).code == 0
    assert call(context, "close-port", "9000/tcp").code == 0
    assert sorted(read(context, "opened-ports")) == ["100-200/tcp", "53/udp", "8000/tcp", "icmp"]
    assert world.model.units["one/0"].ports == ()
    commit(world, context)
    assert "8000/tcp" in world.model.units["one/0"].ports
    assert call(context, "open-port", "70000").code == 2


def test_ports_and_stored_state_outlive_the_pod(world):
    """The controller keeps them: a charm that opens its port at install must not do it again."""
    context = world.context("one/0")
    assert call(context, "open-port", "8000").code == 0
    assert call(context, "state-set", "a=1").code == 0
    commit(world, context)
    world.model = lifecycle.churn(world.model, "one/0", world.now)
    world.pod("one/0")
    world.run()
    assert read(world.context("one/0"), "opened-ports") == ["8000/tcp"]
    assert read(world.context("one/0"), "state-get", "-") == {"a": "1"}


def test_stored_state(world):
    context = world.context("one/0")
    assert call(context, "state-set", "--file", "-", stdin="a: one\nb: two\n").code == 0
    assert read(context, "state-get", "-") == {"a": "one", "b": "two"}
    assert call(context, "state-delete", "a").code == 0
    assert read(context, "state-get", "-") == {"b": "two"}


def test_network(world):
    context = joined(world)
    address = world.model.units["one/0"].address
    shown = read(context, "network-get", "ask")
    assert shown["bind-addresses"][0]["addresses"][0]["value"] == address
    assert shown["ingress-addresses"] == [address]
    assert shown["egress-subnets"] == [f"{address}/32"]
    assert call(context, "network-get", "--ingress-address", "ask").out == f"{address}\n"
    assert call(context, "network-get", "nothing").code == 1


def test_goal_state(world):
    shown = read(world.context("one/0"), "goal-state")
    assert set(shown["units"]) == {"one/0", "one/1"}
    assert set(shown["relations"]["ask"]) == {"two", "two/0"}


def test_actions(world):
    operation = Operation("1", "one/0", "action", name="greet", params={"name": "you", "deep": {"er": 1}})
    world.model = world.model.with_operation(operation)
    context = world.context("one/0", Hook("action", operation="1"))
    assert read(context, "action-get") == {"name": "you", "deep": {"er": 1}}
    assert read(context, "action-get", "deep.er") == 1
    assert call(context, "action-set", "a.b=1", "a.c=2", "d=x=y").code == 0
    assert context.results == {"a": {"b": "1", "c": "2"}, "d": "x=y"}
    assert call(context, "action-set", "stdout=x").code == 2
    assert call(context, "action-log", "--", "half", "way").code == 0
    assert call(context, "action-fail", "--", "no luck").code == 0
    assert context.failure == "no luck"
    reply = call(world.context("one/0"), "action-get")
    assert (reply.code, reply.err) == (1, "ERROR not running an action\n")


def test_what_has_no_place_here_says_so(world):
    context = world.context("one/0")
    assert "permission denied" in call(context, "credential-get").err
    assert "not found" in call(context, "resource-get", "x").err
    assert call(context, "juju-reboot", "--now").code == 1


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('{"a": "x", "b": ""}', {"a": "x"}),
        ("a: x\nb: 'y z'\n", {"a": "x", "b": "y z"}),
        ('{"a": 1, "b": 1.50, "c": true, "d": null, "e": 1e5}', {"a": "1", "b": "1.50", "c": "true", "e": "1e5"}),
        ("a: 010\nb: yes\nc: 2024-01-01\nd: 1_000\n", {"a": "010", "b": "yes", "c": "2024-01-01", "d": "1_000"}),
        ("1: x\n", {"1": "x"}),
        ('{"a": "\\ud800!"}', {"a": "\ufffd!"}),
        ('{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        ("", {}),
        ("null", {}),
        ("{}", {}),
    ],
)
def test_what_a_file_of_settings_may_hold(world, content, found):
    context = joined(world)
    assert call(context, "relation-set", "--file", "-", stdin=content).code == 0
    addresses = {"ingress-address", "egress-subnets", "private-address"}
    bag = read(context, "relation-get", "-", "one/0")
    assert {key: value for key, value in bag.items() if key not in addresses} == found
    json.dumps(found).encode()


@pytest.mark.parametrize(
    "content",
    [
        '{"a": {"s3cret": 1}}',
        "a: [s3cret]",
        "[s3cret]",
        "s3cret",
        "a: 's3cret",
        "{a: s3cret",
        "? [s3cret]\n: b",
        "[" * 9999,
    ],
)
def test_other_settings_are_refused_without_being_quoted(world, content):
    context = joined(world)
    before = context.draft
    reply = call(context, "relation-set", "good=1", "--file", "-", stdin=content)
    assert reply.code == 1
    assert reply.err.startswith("ERROR cannot read --file: ")
    assert "s3cret" not in reply.err
    assert context.draft is before


def test_bytes_that_are_no_text_are_refused(world):
    reply = run(joined(world), "relation-set", ["--file", "-"], {}, b"a: \xff\xfe")
    assert (reply.code, reply.err) == (1, "ERROR cannot read --file: it is not YAML\n")


def test_arguments_win_over_the_file(world):
    context = joined(world)
    assert call(context, "relation-set", "a=argument", "--file", "-", stdin='{"a": "file", "b": "file"}').code == 0
    bag = read(context, "relation-get", "-", "one/0")
    assert (bag["a"], bag["b"]) == ("argument", "file")


@given(st.binary(max_size=200))
def test_any_file_is_read_or_refused(content):
    world = World().deploy("one")
    world.pod("one/0")
    world.run()
    reply = run(world.context("one/0"), "state-set", ["--file", "-"], {}, content)
    assert reply.code in (0, 1)
    assert reply.code == 0 or reply.err.startswith("ERROR cannot read --file: ")


def test_formats(world):
    context = joined(world)
    assert call(context, "relation-get", "-", "two", "--app", "--format=yaml").out == "{}\n"
    assert call(context, "config-get", "--format=yaml", "say").out == "hello\n"
    assert call(context, "relation-list").out == "two/0\n"
    assert call(context, "opened-ports").out == ""
    assert call(context, "config-get", "count").out == ""
    assert call(context, "is-leader", "--format", "yaml").out == "true\n"
    assert call(context, "status-get").out == world.model.units["one/0"].status.status + "\n"
    assert call(context, "status-get", "--application").out == "unknown\n"
    assert read(context, "status-get") == {"status": world.model.units["one/0"].status.status}
    assert read(context, "config-get", "--all") == {"count": None, "fail-on": "", "say": "hello", "wait-on": ""}


@pytest.mark.parametrize("level", ["TRACE", "debug", "Info", "WARNING", "ERROR", "CRITICAL"])
def test_levels_of_the_log(world, level):
    context = world.context("one/0")
    assert call(context, "juju-log", "-l", level, "a", "b").code == 0
    assert context.sink.lines == [(level.upper(), "a b")]


def test_a_log_message_may_be_anything_but_missing(world):
    context = world.context("one/0")
    assert call(context, "juju-log", "--debug", "--", "").code == 0
    assert context.sink.lines == [("DEBUG", "")]
    assert call(context, "juju-log").code == 2


def test_the_data_of_a_unit_that_left_stays_readable(world):
    world.model = lifecycle.scale(world.model, "two", 0, world.now)
    world.run()
    assert "two/0" not in world.model.units
    context = world.context("one/0")
    shown = read(context, "relation-get", "-r", str(world.number), "-", "two/0")
    assert shown["ingress-address"]
    assert read(context, "relation-list", "-r", str(world.number)) == []


def test_a_unit_whose_name_comes_back_does_not_inherit_data(world):
    context = joined(world, "two/0")
    assert call(context, "relation-set", "-r", str(world.number), "said=old").code == 0
    commit(world, context)
    version = world.model.relations[world.number].bags["two/0"].version
    world.model = lifecycle.scale(world.model, "two", 0, world.now)
    world.run()
    world.model = lifecycle.scale(world.model, "two", 1, world.now)
    world.pod("two/0")
    world.run()
    bag = world.model.relations[world.number].bags["two/0"]
    assert "said" not in bag.data
    assert bag.version > version


def test_peers_stay_in_sight_until_the_unit_is_gone(world):
    """Peer relations have no broken hook: stop and remove still see them."""
    seen = {}

    def look(context):
        seen[context.hook.kind] = read(context, "relation-ids", "peers")

    world.does = {"stop": look, "remove": look}
    world.model = lifecycle.remove_application(world.model, "two", world.now)
    world.run()
    (number,) = {tuple(found) for found in seen.values()}
    assert set(seen) == {"stop", "remove"}
    assert number[0].startswith("peers:")
    assert all(relation.side("two") is None for relation in world.model.relations.values())


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["status-set", "active", "a", "b"], 'unrecognized args: ["b"]'),
        (["status-set", "wrong"], 'invalid status "wrong", expected one of [maintenance blocked waiting active]'),
        (["relation-set", "a=1"], "no relation id specified"),
        (["relation-ids"], "no endpoint name specified"),
        (["state-set", "novalue"], 'expected "key=value", got "novalue"'),
        (["state-set", "=x"], 'expected "key=value", got "=x"'),
        (["storage-get"], "no storage instance specified"),
        (["open-port", "http"], 'invalid value "http"'),
        (["network-get"], "no arguments specified"),
        (["application-version-set"], "no version specified"),
        (["secret-get"], "require either a secret URI or label"),
        (["secret-get", "nonsense"], 'secret URI "nonsense" not valid'),
        (["secret-get", "--label", "x", "key"], 'secret URI "key" not valid'),
        (
            ["secret-get", "--peek", "--refresh", "secret:" + "0" * 20],
            "specify one of --refresh or --peek but not both",
        ),
        (["secret-add"], "missing secret value or filename"),
        (["secret-add", "novalue"], "a secret's value is key=value"),
        (["secret-add", "--rotate", "sometimes", "key=x"], 'rotate policy "sometimes" not valid'),
        (["secret-add", "--owner", "model", "key=x"], 'secret owner "model" not valid'),
        (["secret-add", "--expire", "soon", "key=x"], 'expire time or duration "soon" not valid'),
        (["secret-add", "--expire", "5x3m", "key=x"], 'expire time or duration "5x3m" not valid'),
        (["secret-grant", "secret:" + "0" * 20], "no relation id specified"),
        (["secret-remove", "--revision", "x", "secret:" + "0" * 20], 'invalid value "x" for option --revision'),
        (["is-leader", "--nonsense"], "option provided but not defined: --nonsense"),
        (["is-leader", "word"], 'unrecognized args: ["word"]'),
        (["relation-list", "-r"], "option needs an argument: -r"),
        (["config-get", "--format=xml"], 'invalid value "xml" for option --format'),
        (["status-set"], "invalid args"),
        (["no-such-tool"], "unknown hook tool"),
    ],
)
def test_wrong_use_is_exit_code_2(world, argv, text):
    reply = call(world.context("one/0"), *argv)
    assert reply.code == 2
    assert reply.err.startswith("ERROR ")
    assert text in reply.err


def test_every_tool_that_ops_calls_is_in_the_table():
    import ast
    from pathlib import Path

    import ops.hookcmds

    called = set()
    for path in Path(ops.hookcmds.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "run":
                for argument in ast.walk(node.args[0]):
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        called.add(argument.value)
    called = {name for name in called if "-" in name and not name.startswith("-")}
    assert len(called) > 20
    assert called <= set(TOOLS)
