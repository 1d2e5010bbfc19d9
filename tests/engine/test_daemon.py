"""The real daemon, real pods and a real charm."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nuages.engine.api.client import ApiError
from tests.engine.charms import pack
from tests.engine.world import Engine, until

pytestmark = pytest.mark.e2e


@pytest.fixture
def model(engine, request):
    name = request.node.name.removeprefix("test_").replace("_", "-")[:40].strip("-")
    found = Engine(engine.directory, name)
    found.process = engine.process
    engine.client.put(f"/v1/models/{name}", {})
    yield found
    engine.client.delete(f"/v1/models/{name}")


@pytest.fixture(scope="module")
def shared(engine, charm):
    """A model with one unit, for tests that leave it as it was."""
    found = Engine(engine.directory, "shared")
    found.process = engine.process
    engine.client.put("/v1/models/shared", {})
    found.done("deploy", charm=str(charm), application="one")
    return found


@pytest.fixture
def own(tmp_path):
    """A daemon that the test may kill."""
    engine = Engine(tmp_path / "nuages").start()
    engine.client.put("/v1/models/dev", {})
    yield engine
    if not engine.process or engine.process.poll() is not None:
        engine.start()
    for model in engine.client.get("/v1/models"):
        engine.client.delete(f"/v1/models/{model['name']}")
    engine.stop()


def ordered(events, *expected):
    """Check that the expected ones are among the events, in this order."""
    rest = iter(events)
    for name in expected:
        assert any(name == event for event in rest), f"{name} is missing or too early in {events}"


def test_relations_made_before_the_pods_start(model, charm):
    for name in ("one", "two"):
        model.post("deploy", charm=str(charm), application=name, config={"say": name})
    model.done("integrate", endpoints=["one:ask", "two:serve"])
    events = model.events("one/0")
    ordered(events, "install", "peers-relation-created one", "leader-elected", "config-changed", "start")
    ordered(events, "install", "ask-relation-created two", "leader-elected", "start", "work-pebble-ready")
    ordered(events, "start", "ask-relation-changed two", "ask-relation-joined two/0")
    assert events[events.index("ask-relation-joined two/0") + 1] == "ask-relation-changed two/0"
    assert model.bag("one/0", "ask", "two/0")["said"] == "two"
    assert model.bag("one/0", "ask", "two", app=True) == {"told": "two"}
    assert model.bag("one/0", "ask", "two/0")["ingress-address"] == model.unit("two/0")["address"]


def test_relations_made_on_running_units(model, charm):
    for name in ("one", "two"):
        model.post("deploy", charm=str(charm), application=name, config={"say": name})
    model.settle()
    before = len(model.events("one/0"))
    model.done("integrate", endpoints=["one:ask", "two"])
    events = model.events("one/0")[before:]
    ordered(events, "ask-relation-created two", "ask-relation-joined two/0", "ask-relation-changed two/0")
    ordered(events, "ask-relation-created two", "ask-relation-changed two")
    assert events[events.index("ask-relation-joined two/0") + 1] == "ask-relation-changed two/0"
    with pytest.raises(ApiError, match="would exceed its maximum relation limit of 1"):
        model.post("deploy", charm=str(charm), application="three")
        model.post("integrate", endpoints=["one:ask", "three:serve"])
    model.done("remove-relation", endpoints=["one", "two"])
    events = model.events("one/0")[before + len(events) :]
    assert events == ["ask-relation-departed two/0", "ask-relation-broken two"]


def test_a_failing_hook_writes_nothing(model, charm):
    for name in ("one", "two"):
        model.post("deploy", charm=str(charm), application=name, config={"say": name})
    model.settle()
    model.done("config", "one", set={"fail-on": "ask-relation-created"})
    change = model.do("integrate", endpoints=["one:ask", "two:serve"])
    assert change["status"] == "Error"
    assert 'hook "ask-relation-created" of one/0 failed' in change["error"]["message"]
    failed = next(task for task in change["tasks"] if task["summary"] == "one/0: ask-relation-created")
    assert any("as configured" in line for line in failed["log"])
    assert "said" not in model.bag("one/0", "ask", "one/0")
    unit = model.unit("one/0")
    assert unit["workload-status"]["current"] == "error"
    model.done("config", "one", set={"fail-on": ""})
    assert model.bag("one/0", "ask", "one/0")["said"] == "one"
    assert model.events("one/0").count("ask-relation-created two") >= 2


def test_kill_of_the_daemon_inside_a_hook_repeats_exactly_that_hook(own, charm):
    own.done("deploy", charm=str(charm), application="one", config={"say": "hello"})
    before = own.events("one/0")
    address = own.unit("one/0")["address"]
    change = own.post("config", "one", set={"wait-on": "config-changed"})["change"]
    waiting = own.directory / "models/dev/units/one-0/charm/waiting"
    until(waiting.exists, "the hook runs")
    own.kill()
    until(lambda: not own.hook_processes(), "the hook dies with the daemon")
    (waiting.parent / "go").touch()
    own.start()
    finished = own.client.wait("dev", change, timeout=30)
    assert finished["status"] == "Done", own.text()
    assert own.events("one/0") == [*before, "config-changed", "config-changed"]
    assert own.unit("one/0")["address"] == address


def test_a_dead_pebble_comes_back_and_is_ready_again(shared):
    before = shared.events("one/0")
    os.kill(shared.pebble("one/0"), signal.SIGKILL)
    until(lambda: len(shared.events("one/0")) > len(before), "pebble-ready again", 20)
    shared.settle()
    assert shared.events("one/0") == [*before, "work-pebble-ready"]


def test_scale_up_and_down(model, charm):
    model.done("deploy", charm=str(charm), application="one")
    model.done("scale", application="one", units=2)
    assert "peers-relation-joined one/1" in model.events("one/0")
    assert json.loads(model.tool("one/1", "is-leader", "--format=json")) is False
    name = model.tool("one/0", "getent", "hosts", f"one-1.one-endpoints.{model.model}.svc.cluster.local")
    assert name.split()[0] == model.unit("one/1")["address"]
    assert model.tool("one/1", "getent", "hosts", f"one.{model.model}").split()[0] == model.unit("one/0")["address"]
    model.done("scale", application="one", delta=-1)
    assert list(model.get("status")["applications"]["one"]["units"]) == ["one/0"]
    assert model.events("one/0")[-1] == "peers-relation-departed one/1"


def test_refresh_replaces_the_pods(model, charm, tmp_path):
    model.done("deploy", charm=str(charm), application="one", num_units=2)
    before = {name: model.unit(name)["address"] for name in ("one/0", "one/1")}
    assert model.done("refresh", application="one", charm=str(charm))["tasks"] == []
    other = pack(tmp_path / "other.charm", summary="another")
    model.done("refresh", application="one", charm=str(other))
    for name, address in before.items():
        assert model.unit(name)["address"] != address
        ordered(model.events(name), "stop", "upgrade-charm", "config-changed", "start", "work-pebble-ready")
    observed = model.get("observed")["applications"]["one"]
    assert observed["charm"] != "built-in"
    assert observed["units"] == ["one/0", "one/1"]


def test_down_and_start(model, charm):
    model.done("deploy", charm=str(charm), application="one", config={"say": "hello"})
    before = model.events("one/0")
    model.done("down")
    assert model.get("status")["nuages"]["stopped"] == "stopped: nuages up"
    with pytest.raises(ApiError, match="the model is stopped"):
        model.post("run", unit="one/0", action="greet")
    model.done("start")
    assert model.events("one/0") == [*before, "upgrade-charm", "config-changed", "start", "work-pebble-ready"]
    assert model.unit("one/0")["workload-status"]["message"] == "said hello"


def test_after_a_reboot_the_model_is_stopped(own, charm):
    own.done("deploy", charm=str(charm), application="one")
    own.kill()
    record = own.directory / "models/dev/model.json"
    document = json.loads(record.read_text())
    record.write_text(json.dumps({**document, "boot": "another"}))
    own.start()
    assert own.get("status")["nuages"]["stopped"] == "stopped since reboot: nuages up"
    os.kill(document["init"][0], signal.SIGKILL)
    own.done("start")
    assert own.unit("one/0")["workload-status"]["current"] == "active"


def test_actions_and_commands(shared):
    model = shared
    result = model.done("run", unit="one/leader", action="greet", params={"name": "world"})["result"]
    assert result["status"] == "completed"
    assert result["results"]["greeting"] == "hello world"
    with pytest.raises(ApiError, match="did you mean 'greet'"):
        model.post("run", unit="one/0", action="great")
    with pytest.raises(ApiError, match="must be of type string"):
        model.post("run", unit="one/0", action="greet", params={"name": 3})
    result = model.done("exec", unit="one/0", argv=["sh", "-c", "echo out; echo err >&2; exit 3"])["result"]
    assert result == {"stdout": "out\n", "stderr": "err\n", "return-code": 3}


def test_the_log_names_each_hook_that_ran_as_jujus_does(model, charm):
    model.done("deploy", charm=str(charm), application="one")
    model.settle()

    def ran():
        return [record for record in model.records() if record["module"] == "juju.worker.uniter.operation"]

    assert {(record["entity"], record["level"]) for record in ran()} == {("unit-one-0", "INFO")}
    texts = [record["message"] for record in ran()]
    assert texts[0] == 'ran "install" hook (via hook dispatching script: dispatch)'
    hooks = [text.split('"')[1] for text in texts]
    ordered(hooks, "install", "leader-elected", "config-changed", "start")
    assert "work-pebble-ready" in hooks
    assert hooks == [event.split()[0] for event in model.events("one/0")]
    model.post("config", "one", set={"fail-on": "config-changed"})
    until(lambda: model.unit("one/0")["workload-status"]["current"] == "error", "the hook fails")
    assert len(ran()) == len(texts), "what failed did not run"


def test_configuration_is_all_or_nothing(shared):
    model = shared
    with pytest.raises(ApiError, match="option 'count' is of type int, not 'many'"):
        model.post("config", "one", set={"say": "x", "count": "many"})
    with pytest.raises(ApiError, match="did you mean 'count'"):
        model.post("config", "one", set={"say": "x", "coun": "1"})
    settings = model.get("config", "one")["settings"]
    assert settings["say"] == {
        "type": "string",
        "description": "",
        "default": "nothing",
        "value": "nothing",
        "source": "default",
    }
    assert settings["count"]["source"] == "unset"
    model.done("config", "one", set={"count": "3"})
    assert model.tool("one/0", "config-get", "count") == "3\n"
    model.done("config", "one", reset=["count"])
    assert model.tool("one/0", "config-get", "count") == ""


def test_models_do_not_see_each_other_and_go_without_a_trace(engine, shared, charm):
    other = Engine(engine.directory, "another-model")
    other.process = engine.process
    engine.client.put("/v1/models/another-model", {})
    other.done("deploy", charm=str(charm), application="one")
    here, there = shared.unit("one/0")["address"], other.unit("one/0")["address"]
    marker = "/var/lib/juju/agents/unit-one-0/charm/marker"
    other.tool("one/0", "touch", marker)
    assert shared.do("exec", unit="one/0", argv=["test", "-e", marker])["result"]["return-code"] == 1
    found = shared.do("exec", unit="one/0", argv=["getent", "hosts", "one.another-model"])["result"]
    assert found["return-code"] != 0
    if here != there:
        connect = f"import socket; socket.create_connection(('{there}', 38813), 2)"
        assert shared.do("exec", unit="one/0", argv=["python3", "-c", connect])["result"]["return-code"] != 0
    directory = engine.directory / "models/another-model"
    record = json.loads((directory / "model.json").read_text())
    pids = [record["init"][0], record["pods"]["one/0"]["containers"]["work"]["pebble"][0]]
    assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    engine.client.delete("/v1/models/another-model")
    assert not directory.exists()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    with pytest.raises(ApiError, match="model another-model not found"):
        other.get("status")
    assert shared.unit("one/0")["workload-status"]["current"] == "active"


@pytest.mark.slow
def test_kill_at_any_instant_of_a_deployment(own, charm, tmp_path):
    """Every hook is committed once; at most the one that ran is seen twice."""
    names = ("one", "two")
    for name in names:
        own.post("deploy", charm=str(charm), application=name, config={"say": name})
    own.post("integrate", endpoints=["one:ask", "two:serve"])
    for seconds in (0.05, 0.3, 0.7, 1.1, 1.9, 2.3):
        try:
            own.client.get(own.path("settled"), wait=seconds)
        finally:
            own.kill()
        own.start()
    own.settle()
    for name, other in (names, names[::-1]):
        unit = own.unit(f"{name}/0")
        assert unit["workload-status"]["message"] == f"said {name}"
        events = own.events(f"{name}/0")
        assert len(events) <= len(set(events)) + 6 + 2
        endpoint = "ask" if name == "one" else "serve"
        assert own.bag(f"{name}/0", endpoint, f"{other}/0")["said"] == other
    assert not [change for change in own.get("changes") if change["error"]]


def test_purge_in_the_middle_of_a_deployment(engine, charm):
    for seconds in (0, 0.3, 1.5):
        found = Engine(engine.directory, "middle")
        engine.client.put("/v1/models/middle", {})
        found.post("deploy", charm=str(charm), application="one")
        engine.client.get(found.path("settled"), wait=seconds)
        engine.client.delete("/v1/models/middle")
        assert not (engine.directory / "models/middle").exists()
    assert "middle" not in [model["name"] for model in engine.client.get("/v1/models")]


CONNECT = """
import ctypes, os, socket, sys
connection = socket.socket(socket.AF_UNIX)
directory = os.open(sys.argv[1], os.O_PATH)
os.setgroups([])
if sys.argv[2] == "capable":  # rights over files stay, the user is another
    ctypes.CDLL(None).prctl(28, 1 << 2)
os.setresuid(65534, 65534, 65534)
connection.connect(f"/proc/self/fd/{directory}/daemon.sock")
connection.sendall(b"GET /v1/version HTTP/1.0\\r\\n\\r\\n")
sys.exit(0 if connection.recv(1000) else "no answer")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
@pytest.mark.parametrize(
    ("rights", "reason"),
    [("none", ["PermissionError"]), ("capable", ["no answer", "BrokenPipeError", "ConnectionResetError"])],
)
def test_another_user_is_refused(engine, rights, reason):
    """By the file's mode, and also when that does not hold."""
    argv = [sys.executable, "-c", CONNECT, str(engine.directory), rights]
    refused = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert refused.returncode != 0
    assert any(text in refused.stderr for text in reason), refused.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a directory away")
def test_a_foreign_state_directory_is_refused(tmp_path):
    from nuages.engine.errors import EngineError
    from nuages.engine.serving import prepare

    directory = tmp_path / "nuages"
    directory.mkdir()
    os.chown(directory, 1234, 1234)
    with pytest.raises(EngineError, match="it belongs to user 1234"):
        prepare(directory)


def test_a_second_daemon_is_refused(engine):
    from nuages.engine.errors import EngineError
    from nuages.engine.serving import main

    with pytest.raises(EngineError, match="runs already"):
        main({}, engine.directory)


def test_the_state_is_private(engine, shared):
    assert engine.directory.stat().st_mode & 0o777 == 0o700
    assert (engine.directory / "daemon.sock").stat().st_mode & 0o777 == 0o600
    assert (engine.directory / "daemon.log").stat().st_mode & 0o777 == 0o600
    assert (engine.directory / "models/shared" / "model.db").stat().st_mode & 0o777 == 0o600
    assert (engine.directory / "models/shared").stat().st_mode & 0o777 == 0o700
