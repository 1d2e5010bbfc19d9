"""Every form in which ops calls a tool, and its reading of every answer: `ops.hookcmds` without processes."""

import datetime
import importlib
import pkgutil
from dataclasses import replace
from pathlib import Path

import pytest
from ops import hookcmds

from nuages.engine.hooks.tools import run
from nuages.engine.state import Hook, Operation
from tests.engine.simulation import World


@pytest.fixture
def world():
    world = World().deploy("one", units=2, config={"say": "hello", "count": 3}).deploy("two")
    world.number = world.integrate("one:ask", "two:serve")
    world.pod("one/0", "one/1", "two/0")
    world.run()
    return world


@pytest.fixture
def ops_in(monkeypatch):
    """Return a function that makes ops call the tools of a context."""

    def install(context):
        def call(*args, input=None, redacted_cmd=None):
            files = {word: Path(word.partition("#file=")[2]).read_bytes() for word in args[1:] if "#file=" in word}
            reply = run(context, args[0], args[1:], files, None if input is None else input.encode())
            if reply.code:
                raise hookcmds.Error(returncode=reply.code, cmd=list(args), stdout=reply.out, stderr=reply.err)
            return reply.out

        for module in pkgutil.iter_modules(hookcmds.__path__):
            found = importlib.import_module(f"ops.hookcmds.{module.name}")
            if hasattr(found, "run"):
                monkeypatch.setattr(found, "run", call)
        return context

    return install


def refused(function, *args, **options):
    with pytest.raises(hookcmds.Error) as caught:
        function(*args, **options)
    assert caught.value.stdout == ""
    assert caught.value.stderr.startswith("ERROR ")
    assert caught.value.stderr.endswith("\n")
    return caught.value.returncode, caught.value.stderr[len("ERROR ") : -1]


def of_relation(world, kind="relation-changed", unit="one/0", **fields):
    fields = {"remote_unit": "two/0", "remote_application": "two", **fields}
    return world.context(unit, Hook(kind, relation=world.number, **fields))


def test_config_leadership_log_version(world, ops_in):
    context = ops_in(world.context("one/0"))
    assert hookcmds.config_get() == {"say": "hello", "count": 3, "fail-on": "", "wait-on": ""}
    assert hookcmds.config_get("count") == 3
    assert hookcmds.config_get("unknown") is None
    assert hookcmds.is_leader() is True
    hookcmds.juju_log("-- a\nb", level="WARNING")
    assert context.sink.lines == [("WARNING", "-- a\nb")]
    hookcmds.app_version_set("-1.2")
    assert world.model.applications["one"].version == "-1.2"


def test_relations(world, ops_in):
    ops_in(of_relation(world))
    number = world.number
    assert hookcmds.relation_ids("ask") == [f"ask:{number}"]
    assert hookcmds.relation_ids("serve") == []
    for options in ({}, {"id": number}, {"id": number, "endpoint": "ask"}):
        assert hookcmds.relation_list(**options) == ["two/0"]
        assert hookcmds.relation_list(**options, app=True) == "two"
        hookcmds.relation_set({"a": "1", "ü": "\U0001f600\n"}, **options)
        hookcmds.relation_set({"told": "all"}, **options, app=True)
        assert hookcmds.relation_get(**options, unit="one/0")["ü"] == "\U0001f600\n"
        assert hookcmds.relation_get(**options, unit="one/0", key="a") == "1"
        assert hookcmds.relation_get(**options, unit="one/0", key="none") is None
        assert hookcmds.relation_get(**options, unit="one", app=True) == {"told": "all"}
        assert hookcmds.relation_get(**options, unit="two", app=True) == {}
        assert hookcmds.relation_get(**options, key="ingress-address") == world.model.units["two/0"].address
        assert hookcmds.relation_model_get(**options).uuid == "uuid"
    hookcmds.relation_set({"a": ""}, id=number)
    assert "a" not in hookcmds.relation_get(unit="one/0")
    wrong = (2, 'invalid value "ask:99" for option -r: relation not found')
    assert refused(hookcmds.relation_get, 99, endpoint="ask", unit="two/0") == wrong
    assert refused(hookcmds.relation_set, {}, 99, endpoint="ask") == wrong
    code, text = refused(hookcmds.relation_get, unit="two/7")
    assert code == 1
    assert "two/7" in text
    assert refused(hookcmds.relation_get, unit="three", app=True)[0] == 1


def test_without_a_relation_hook_the_relation_must_be_named(world, ops_in):
    ops_in(world.context("one/0"))
    for function in (hookcmds.relation_get, hookcmds.relation_list, hookcmds.relation_model_get):
        assert refused(function) == (2, "no relation id specified")
    assert refused(hookcmds.relation_get, world.number) == (2, "no unit or application specified")


@pytest.mark.parametrize(
    ("kind", "fields", "units"),
    [
        ("relation-created", {"remote_unit": ""}, []),
        ("relation-joined", {}, ["two/0"]),
        ("relation-departed", {"departing_unit": "two/0"}, []),
        ("relation-broken", {"remote_unit": ""}, []),
    ],
)
def test_what_a_relation_hook_sees_of_its_relation(world, ops_in, kind, fields, units):
    local = world.model.units["one/0"].local
    known = {} if kind in ("relation-created", "relation-joined", "relation-broken") else {"two/0": 1}
    told = replace(local.relations[world.number], members=known)
    relations = {**local.relations, world.number: told}
    world.model = world.model.with_unit(replace(world.model.units["one/0"], local=replace(local, relations=relations)))
    ops_in(of_relation(world, kind, **fields))
    assert hookcmds.relation_ids("ask") == ([] if kind == "relation-broken" else [f"ask:{world.number}"])
    assert hookcmds.relation_list() == units
    assert hookcmds.relation_list(app=True) == "two"
    # data of the departing unit and in a breaking relation can still be read
    assert hookcmds.relation_get(unit="two/0")["ingress-address"]
    hookcmds.relation_set({"still": "written"})


def test_a_relation_is_over_after_its_broken_hook(world, ops_in):
    """Also while other units still leave it."""
    local = world.model.units["one/0"].local
    told = replace(local.relations[world.number], broken=True)
    relations = {**local.relations, world.number: told}
    world.model = world.model.with_unit(replace(world.model.units["one/0"], local=replace(local, relations=relations)))
    ops_in(world.context("one/0"))
    assert hookcmds.relation_ids("ask") == []
    assert refused(hookcmds.relation_list, world.number)[1].endswith("relation not found")


def test_before_install_there_is_no_relation(ops_in):
    world = World().deploy("one").deploy("two")
    number = world.integrate("one:ask", "two:serve")
    world.pod("one/0")
    ops_in(world.context("one/0", Hook("install")))
    assert (hookcmds.relation_ids("ask"), hookcmds.relation_ids("peers")) == ([], [])
    assert refused(hookcmds.relation_get, number, unit="one/0")[1].endswith("relation not found")


def test_another_applications_relation_is_not_found(world, ops_in):
    world.deploy("three")
    number = world.integrate("three:ask", "two:serve")
    ops_in(world.context("one/0"))
    assert refused(hookcmds.relation_get, number, unit="two/0")[1].endswith("relation not found")


def test_network(world, ops_in):
    ops_in(world.context("one/0"))
    address = world.model.units["one/0"].address
    for options in ({}, {"relation_id": world.number}):
        network = hookcmds.network_get("ask", **options)
        assert network.bind_addresses[0].addresses[0].value == address
        assert (list(network.ingress_addresses), list(network.egress_subnets)) == ([address], [f"{address}/32"])
    assert hookcmds.network_get("peers").ingress_addresses == [address]
    assert refused(hookcmds.network_get, "nothing")[0] == 1
    assert refused(hookcmds.network_get, "ask", relation_id=99)[1].endswith("relation not found")


def test_ports(world, ops_in):
    context = ops_in(world.context("one/0"))
    assert hookcmds.opened_ports() == []
    hookcmds.open_port("tcp", 8000)
    hookcmds.open_port("udp", 53, to_port=60)
    hookcmds.open_port("icmp")
    hookcmds.open_port(None, 9000, endpoints=["ask", "serve"])
    shown = [(port.protocol, port.port, port.to_port) for port in hookcmds.opened_ports()]
    assert shown == [("icmp", None, None), ("tcp", 8000, None), ("tcp", 9000, None), ("udp", 53, 60)]
    assert {tuple(port.endpoints) for port in hookcmds.opened_ports(endpoints=True)} == {("*",)}
    hookcmds.close_port("tcp", 8000)
    hookcmds.close_port("tcp", 8000)
    assert len(context.unit.ports) == 3
    for wrong in (("tcp", 0), ("tcp", 65536), ("sctp", 1)):
        assert refused(hookcmds.open_port, *wrong)[0] == 2
    assert refused(hookcmds.open_port, "tcp", 10, to_port=9)[0] == 2


def test_status(world, ops_in):
    ops_in(world.context("one/0"))
    for status in ("active", "blocked", "maintenance", "waiting"):
        hookcmds.status_set(status, "--message")
        assert (hookcmds.status_get().status, hookcmds.status_get().message) == (status, "--message")
    hookcmds.status_set("active")
    assert hookcmds.status_get().message == ""
    hookcmds.status_set("waiting", "for all", app=True)
    shown = hookcmds.status_get(app=True)
    # ops looks for the units beside the application's status; Juju puts them into it, see test_tools
    assert (shown.status, shown.message, shown.units) == ("waiting", "for all", {})
    for wrong in ("error", "unknown", "ACTIVE", ""):
        assert refused(hookcmds.status_set, wrong)[0] == 2
    ops_in(world.context("one/1"))
    for function, arguments in ((hookcmds.status_get, ()), (hookcmds.status_set, ("active",))):
        assert refused(function, *arguments, app=True) == (1, "this unit is not the leader")


def test_stored_state(world, ops_in):
    ops_in(world.context("one/0"))
    assert hookcmds.state_get(None) == {}
    hookcmds.state_set({"a": "1", "yaml": "- x\n- {y: z}\n", "": "empty"})
    assert hookcmds.state_get("yaml") == "- x\n- {y: z}\n"
    assert hookcmds.state_get("missing") == ""
    hookcmds.state_delete("a")
    assert hookcmds.state_get(None) == {"yaml": "- x\n- {y: z}\n", "": "empty"}


def test_goal_state(world, ops_in):
    ops_in(world.context("one/0"))
    world.model = world.model.with_unit(replace(world.model.units["one/1"], life="dying"))
    ops_in(world.context("one/0"))
    goal = hookcmds.goal_state()
    assert goal.units["one/1"].status == "dying"
    assert goal.units["one/0"].since.tzinfo is not None
    assert {name: set(found) for name, found in goal.relations.items()} == {"ask": {"two", "two/0"}}


def test_secrets(world, ops_in):
    owner = ops_in(of_relation(world, unit="two/0", remote_unit="one/0", remote_application="one"))
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    uri = hookcmds.secret_add(
        {"user-name": "u", "pass-word": "line\nline=#file"}, label="l", description="d", expire=soon, rotate="weekly"
    )
    unit = hookcmds.secret_add({"key": "v"}, owner="unit", expire="1h30m")
    assert hookcmds.secret_get(id=uri) == {"user-name": "u", "pass-word": "line\nline=#file"}
    info = hookcmds.secret_info_get(label="l")
    assert (f"secret:{info.id}", info.revision, info.label, info.description) == (uri, 1, "l", "d")
    assert (info.rotation, abs(info.expiry - soon) < datetime.timedelta(seconds=2)) == ("weekly", True)
    assert info.rotates > soon
    assert hookcmds.secret_info_get(id=unit).expiry is not None
    hookcmds.secret_grant(uri, world.number)
    world.model = owner.replay(world.model)
    owner = ops_in(world.context("two/0"))
    hookcmds.secret_set(uri, content={"key": "new"})
    hookcmds.secret_set(uri, label="other", description="", rotate="never", owner="application")
    assert hookcmds.secret_info_get(id=uri).revision == 2
    hookcmds.secret_remove(uri, revision=1)
    hookcmds.secret_remove(unit)
    assert [f"secret:{number}" for number in hookcmds.secret_ids()] == [uri]
    world.model = owner.replay(world.model)
    ops_in(world.context("one/0"))
    assert hookcmds.secret_get(id=uri, label="mine", refresh=True) == {"key": "new"}
    assert hookcmds.secret_get(label="mine", peek=True) == {"key": "new"}
    assert refused(hookcmds.secret_info_get, id=uri) == (1, f'secret "{info.id}" not found')
    assert refused(hookcmds.secret_get, id=unit)[1].endswith("not found")
    owner = ops_in(world.context("two/0"))
    hookcmds.secret_revoke(uri, relation_id=world.number)
    hookcmds.secret_revoke(uri, relation_id=None, app="one")
    hookcmds.secret_revoke(uri, relation_id=None, unit="one/0")
    world.model = owner.replay(world.model)
    ops_in(world.context("one/0"))
    assert refused(hookcmds.secret_get, id=uri) == (1, "permission denied")


def test_actions(world, ops_in):
    params = {"name": "you", "deep": {"er": [1, None, True]}}
    world.model = world.model.with_operation(Operation("1", "one/0", "action", name="greet", params=params))
    context = ops_in(world.context("one/0", Hook("action", operation="1")))
    assert hookcmds.action_get() == params
    assert hookcmds.action_get("deep.er") == [1, None, True]
    assert hookcmds.action_get("deep.none.at.all") is None
    hookcmds.action_set({"a": {"b": 1, "c": "x=y"}, "list": [1]})
    hookcmds.action_set({"a": {"b": 2}})
    assert context.results == {"a": {"b": "2", "c": "x=y"}, "list": "[1]"}
    for wrong in ("UPPER", "under_score", "-a", "a-", "stdout", "a.return-code", ""):
        assert refused(hookcmds.action_set, {wrong: 1, "fine": 1})[0] == 2
    assert "fine" not in context.results
    hookcmds.action_log("--half\nway")
    hookcmds.action_fail("--no luck")
    assert (context.sink.lines, context.failure) == ([("ACTION", "--half\nway")], "--no luck")
    hookcmds.action_fail()
    assert context.failure
    ops_in(world.context("one/0"))
    for function, arguments in ((hookcmds.action_get, ()), (hookcmds.action_set, ({},)), (hookcmds.action_fail, ())):
        assert refused(function, *arguments) == (1, "not running an action")


def test_storage_and_resources(ops_in):
    world = World().deploy("one", storage={"data": {"type": "filesystem"}, "logs": {"type": "filesystem"}})
    world.pod("one/0")
    world.run()
    context = ops_in(world.context("one/0", Hook("storage-attached", storage="data")))
    context.resources = {"image": "/var/lib/juju/x/content.yaml"}
    assert hookcmds.storage_list() == ["data/0", "logs/0"]
    assert hookcmds.storage_list("logs") == ["logs/0"]
    assert str(hookcmds.storage_get().location) == "/var/lib/juju/storage/data/0"
    assert hookcmds.storage_get("logs/0").kind == "filesystem"
    assert refused(hookcmds.storage_get, "logs/1")[0] == 2
    assert str(hookcmds.resource_get("image")) == "/var/lib/juju/x/content.yaml"
    assert "not found" in refused(hookcmds.resource_get, "other")[1]
    for function, arguments in (
        (hookcmds.credential_get, ()),
        (hookcmds.juju_reboot, ()),
        (hookcmds.storage_add, ({"data": 1},)),
    ):
        assert refused(function, *arguments)[0] == 1


def test_every_function_of_ops_is_called_here():
    source = Path(__file__).read_text()
    functions = [name for name in hookcmds.__all__ if name.islower()]
    assert len(functions) > 30
    assert [name for name in functions if f"hookcmds.{name}" not in source] == []
