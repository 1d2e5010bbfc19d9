"""The ops library itself as the client: a small charm's `dispatch` against the real server, without a pod."""

import json
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from nuages.engine import charms, lifecycle
from nuages.engine.charm import Option
from nuages.engine.state import Hook, Operation
from tests.engine.charms import pack
from tests.engine.hooks.stage import Stage, grown
from tests.engine.simulation import World

OPTIONS = {
    option.name: option for option in (Option("do", "string", ""), Option("count", "int"), Option("ratio", "float", 1))
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The charm, unpacked and compiled as for a unit."""
    directory = tmp_path_factory.mktemp("doer")
    source = (Path(__file__).parent / "doer/src/charm.py").read_text()
    path = pack(directory / "doer.charm", "doer", source=source)
    return charms.prepare(charms.read(path), directory / "charms")


@pytest.fixture
def stage(tmp_path, tree):
    world = World().deploy("one", units=2).deploy("two")
    for application in list(world.model.applications.values()):
        charm = replace(application.charm, options=OPTIONS)
        world.model = world.model.with_application(replace(application, charm=charm))
    world.number = world.integrate("one:ask", "two:serve")
    world.pod("one/0", "one/1", "two/0")
    stage = Stage(tmp_path, grown(world), {"one": tree, "two": tree})
    stage.number = world.number
    return stage


def do(stage, text, unit="one/0", hook=None, *, fails=False):
    """Run a hook in which the charm does this; return what it found."""
    application = unit.partition("/")[0]
    stage.apply(lambda model: lifecycle.configure(model, application, {"do": dedent(text)}))
    stage.run(unit, hook or Hook("config-changed"))
    assert stage.model.units[unit].failed == fails, stage.records()[-20:]
    return json.loads((stage.world.unit_directory(unit) / "charm/found.json").read_text())


def relation(stage, kind, **fields):
    return Hook(kind, relation=stage.number, remote_application="two", **fields)


def test_reading_and_writing(stage):
    found = do(
        stage,
        """
        relation = self.model.get_relation("ask")
        peers = self.model.get_relation("peers")
        relation.data[self.unit].update({"ünï": "cödé", "empty": "", "lines": "a\\nb"})
        relation.data[self.app]["told"] = "x" * 200_000
        peers.data[self.app]["shared"] = "yes"
        found["read"] = [dict(peers.data[self.app]), dict(relation.data[self.unit])["ünï"]]
        found["units"] = sorted(unit.name for unit in relation.units)
        found["peers"] = sorted(unit.name for unit in peers.units)
        found["app"] = relation.app.name
        found["broken"] = relation.active
        found["leader"] = self.unit.is_leader()
        found["config"] = {key: value for key, value in self.config.items() if key != "do"}
        found["planned"] = self.app.planned_units()
        network = self.model.get_binding("ask").network
        found["address"] = [str(network.bind_address), str(network.ingress_address), str(network.egress_subnets[0])]
        self.unit.set_ports(8000, ops.Port("udp", 53))
        self.unit.close_port("udp", 53)
        found["ports"] = sorted(str(port.port) for port in self.unit.opened_ports())
        self.unit.set_workload_version("1.2")
        self.app.status = ops.ActiveStatus("all of us")
        self.unit.status = ops.WaitingStatus("-- for it")
        found["status"] = [self.app.status.message, self.unit.status.name, self.unit.status.message]
        """,
    )
    address = stage.model.units["one/0"].address
    assert found == {
        "event": "config_changed",
        "hook": "config-changed",
        "read": [{"shared": "yes"}, "cödé"],
        "units": ["two/0"],
        "peers": ["one/1"],
        "app": "two",
        "broken": True,
        "leader": True,
        "config": {"ratio": 1.0},
        "planned": 2,
        "address": [address, address, f"{address}/32"],
        "ports": ["8000"],
        "status": ["all of us", "waiting", "-- for it"],
    }
    model = stage.reopened()
    bags = model.relations[stage.number].bags
    assert bags["one/0"].data["ünï"] == "cödé"
    assert bags["one/0"].data["lines"] == "a\nb"
    assert "empty" not in bags["one/0"].data
    assert len(bags["one"].data["told"]) == 200_000
    assert model.units["one/0"].ports == ("8000/tcp",)
    assert (model.applications["one"].version, model.applications["one"].status.message) == ("1.2", "all of us")


def test_what_it_may_not_is_the_exception_that_ops_documents(stage):
    found = do(
        stage,
        """
        def attempt(name, function):
            try:
                found[name] = repr(function())
            except Exception as error:
                found[name] = f"{type(error).__name__}: {error}"
        backend = self.model._backend
        relation = self.model.get_relation("ask")
        attempt("own app", lambda: backend.relation_get(relation.id, "one", True))
        attempt("set app", lambda: backend.relation_set(relation.id, {"a": "b"}, True))
        attempt("no relation", lambda: backend.relation_list(99))
        attempt("no relation of this name", lambda: backend.relation_get(99, "two/0", False))
        attempt("app status", lambda: self.app.status)
        attempt("set app status", lambda: setattr(self.app, "status", ops.ActiveStatus()))
        attempt("app secret", lambda: self.app.add_secret({"key": "value"}))
        attempt("no secret", lambda: self.model.get_secret(id="secret:00000000000000000000"))
        attempt("no label", lambda: self.model.get_secret(label="nothing"))
        attempt("resource", lambda: backend.resource_get("image"))
        attempt("binding", lambda: backend.network_get("nothing"))
        attempt("not an action", lambda: backend.action_get())
        attempt("cloud", lambda: self.model.get_cloud_spec())
        attempt("status", lambda: backend.status_set("wrong", ""))
        """,
        unit="one/1",
    )
    errors = {name: text.partition(":")[0] for name, text in found.items()}
    assert errors == {
        "event": "config_changed",
        "hook": "config-changed",
        "own app": "ModelError",
        "set app": "ModelError",
        "no relation": "RelationNotFoundError",
        "no relation of this name": "RelationNotFoundError",
        "app status": "RuntimeError",  # ops asks is-leader itself
        "set app status": "RuntimeError",
        "app secret": "ModelError",
        "no secret": "SecretNotFoundError",
        "no label": "SecretNotFoundError",
        "resource": "ModelError",
        "binding": "ModelError",
        "not an action": "ModelError",
        "cloud": "ModelError",
        "status": "InvalidStatusError",
    }
    assert "permission denied" in found["own app"]
    assert "cannot write relation settings" in found["set app"]
    assert "this unit is not the leader" in found["app secret"]


def test_secrets_from_making_to_taking_back(stage):
    made = do(
        stage,
        """
        secret = self.app.add_secret(
            {"user-name": "u", "password": "s3cret\\n"}, label="db", description="about", rotate=ops.SecretRotate.DAILY
        )
        found["id"] = secret.id
        found["own"] = secret.get_content()
        again = self.model.get_secret(label="db")
        info = again.get_info()
        found["info"] = [info.id, info.revision, info.label, info.rotation.value, info.description]
        relation = self.model.get_relation("serve")
        secret.grant(relation)
        secret.set_content({"password": "first"})
        secret.set_content({"password": "second"})
        relation.data[self.app]["uri"] = secret.id
        """,
        unit="two/0",
    )
    uri = made["id"]
    number = uri.rpartition(":")[2].rpartition("/")[2]
    assert made["own"] == {"user-name": "u", "password": "s3cret\n"}
    assert made["info"][1:] == [1, "db", "daily", "about"]
    assert stage.model.secrets[number].latest == 1  # one revision a hook, whatever it did in between
    hook = relation(stage, "relation-changed")
    read = 'secret = self.model.get_secret(id=event.relation.data[event.app]["uri"], label="theirs")\n'
    assert do(stage, read + 'found["content"] = secret.get_content()', hook=hook)["content"] == {"password": "second"}
    do(stage, 'self.model.get_secret(label="db").set_content({"password": "third"})', unit="two/0")
    due = stage.next("one/0")
    while due.kind != "secret-changed":
        do(stage, "", hook=due)
        due = stage.next("one/0")
    changed = """
        found["label"] = event.secret.label
        found["old"] = event.secret.get_content()["password"]
        found["peek"] = event.secret.peek_content()["password"]
        found["new"] = event.secret.get_content(refresh=True)["password"]
        """
    found = do(stage, changed, hook=due)
    assert [found[key] for key in ("event", "label", "old", "peek", "new")] == [
        "secret_changed", "theirs", "second", "third", "third",
    ]  # fmt: skip
    removal = """
        found["revision"] = event.revision
        event.remove_revision()
        """
    due = Hook("secret-remove", secret=number, secret_revision=1)
    assert do(stage, removal, unit="two/0", hook=due)["revision"] == 1
    assert set(stage.model.secrets[number].revisions) == {2}
    do(stage, 'self.model.get_secret(label="db").revoke(self.model.get_relation("serve"))', unit="two/0")
    denied = """
        try:
            self.model.get_secret(label="theirs")
        except ops.ModelError as error:
            found["error"] = type(error).__name__
        """
    assert do(stage, denied)["error"] in ("ModelError", "SecretNotFoundError")


@pytest.mark.parametrize(
    ("hook", "text", "expected"),
    [
        (
            Hook("relation-departed", remote_unit="two/0", departing_unit="two/0"),
            """
            found["seen"] = [event.unit.name, event.departing_unit.name, event.app.name]
            found["units"] = [unit.name for unit in event.relation.units]
            found["data"] = event.relation.data[event.unit]["ingress-address"]
            """,
            {"seen": ["two/0", "two/0", "two"], "units": [], "data": "10.77.0.4"},
        ),
        (
            Hook("relation-broken"),
            """
            found["seen"] = [event.unit, event.app.name, event.relation.active]
            found["data"] = dict(event.relation.data[event.app])
            found["listed"] = len([r for r in self.model.relations["ask"] if r.active])
            """,
            {"seen": [None, "two", False], "data": {}, "listed": 0},
        ),
        (
            Hook("pebble-ready", container="work", boot_id="x"),
            'found["seen"] = event.workload.name',
            {"seen": "work"},
        ),
        (
            Hook(
                "pebble-custom-notice", container="work", notice="7", notice_type="custom", notice_key="a.b/c",
                notice_at="2026",
            ),
            'found["seen"] = [event.notice.id, event.notice.key, event.notice.type.value]',
            {"seen": ["7", "a.b/c", "custom"]},
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, Hook) else "",
)  # fmt: skip
def test_events_carry_what_ops_expects(stage, hook, text, expected):
    if hook.kind.startswith("relation"):
        hook = replace(hook, relation=stage.number, remote_application="two")
    found = do(stage, text, hook=hook)
    assert {key: found[key] for key in expected} == expected


def test_an_action(stage):
    operation = Operation("1", "one/0", "action", name="greet", params={"name": "you", "deep": {"er": [1, None]}})
    stage.apply(lambda model: model.with_operation(operation))
    text = """
        found["params"] = dict(event.params)
        event.log("half\\nway")
        event.set_results({"greeting": "hello", "nested": {"a": 1, "b": {"c": "--flag"}}})
        print("printed")
        if event.params["name"] == "you":
            event.fail("no luck")
        """
    found = do(stage, text, hook=Hook("action", operation="1"))
    assert (found["params"], found["hook"]) == ({"name": "you", "deep": {"er": [1, None]}}, "")
    ended = stage.model.operations["1"]
    assert (ended.status, ended.message, ended.log) == ("failed", "no luck", ("half\nway",))
    assert ended.results == {
        "greeting": "hello",
        "nested": {"a": "1", "b": {"c": "--flag"}},
        "return-code": 0,
        "stdout": "printed\n",
    }


def test_a_failing_charm_leaves_a_traceback_in_the_log_and_nothing_else(stage):
    text = """
        self.model.get_relation("ask").data[self.unit]["said"] = "lost"
        self.unit.status = ops.MaintenanceStatus("kept")
        raise RuntimeError("on purpose")
        """
    do(stage, text, fails=True)
    model = stage.reopened()
    assert "said" not in model.relations[stage.number].bags["one/0"].data
    assert model.units["one/0"].status.message == "kept"
    assert any("RuntimeError: on purpose" in message for _, message in stage.records())
    do(stage, 'self.model.get_relation("ask").data[self.unit]["said"] = "now"')
    assert stage.model.relations[stage.number].bags["one/0"].data["said"] == "now"
