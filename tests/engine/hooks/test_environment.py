"""The environment of each kind of hook: Juju's list, and nothing else."""

from dataclasses import replace

import pytest

from nuages.engine import secrets
from nuages.engine.hooks.environment import environment
from nuages.engine.secrets import Attributes
from nuages.engine.state import Hook, Operation
from tests.engine.simulation import World

ALWAYS = {
    "JUJU_DISPATCH_PATH", "JUJU_HOOK_NAME", "JUJU_UNIT_NAME", "JUJU_MODEL_NAME", "JUJU_MODEL_UUID", "JUJU_VERSION",
    "JUJU_CHARM_DIR", "CHARM_DIR", "JUJU_CONTEXT_ID", "JUJU_AGENT_SOCKET_ADDRESS", "JUJU_AGENT_SOCKET_NETWORK",
    "JUJU_API_ADDRESSES", "CLOUD_API_VERSION", "JUJU_MACHINE_ID", "JUJU_PRINCIPAL_UNIT", "JUJU_AVAILABILITY_ZONE",
    "JUJU_CHARM_HTTP_PROXY", "JUJU_CHARM_HTTPS_PROXY", "JUJU_CHARM_FTP_PROXY", "JUJU_CHARM_NO_PROXY",
    "PATH", "LANG", "TERM", "DEBIAN_FRONTEND", "APT_LISTCHANGES_FRONTEND",
}  # fmt: skip
RELATION = {"JUJU_RELATION": "ask", "JUJU_RELATION_ID": "ask:2", "JUJU_REMOTE_APP": "two", "JUJU_REMOTE_UNIT": "two/0"}
FEW = {**RELATION, "JUJU_REMOTE_UNIT": ""}
OF_RELATION = {"relation": 2, "remote_application": "two"}
OF_UNIT = {**OF_RELATION, "remote_unit": "two/0"}


@pytest.fixture
def world():
    world = World().deploy("one", storage={"data": {}}).deploy("two")
    world.integrate("one:ask", "two:serve")
    world.pod("one/0", "two/0")
    world.run()
    return world


@pytest.mark.parametrize(
    ("name", "hook", "more"),
    [
        ("install", Hook("install"), {}),
        ("config-changed", Hook("config-changed"), {}),
        ("upgrade-charm", Hook("upgrade-charm"), {}),
        ("leader-elected", Hook("leader-elected"), {}),
        ("ask-relation-created", Hook("relation-created", **OF_RELATION), FEW),
        ("ask-relation-changed", Hook("relation-changed", **OF_RELATION), FEW),
        ("ask-relation-broken", Hook("relation-broken", **OF_RELATION), FEW),
        ("ask-relation-joined", Hook("relation-joined", **OF_UNIT), RELATION),
        ("ask-relation-changed", Hook("relation-changed", **OF_UNIT), RELATION),
        (
            "ask-relation-departed",
            Hook("relation-departed", **OF_UNIT, departing_unit="one/0"),
            {**RELATION, "JUJU_DEPARTING_UNIT": "one/0"},
        ),
        (
            "peers-relation-created",
            Hook("relation-created", relation=0, remote_application="one"),
            {"JUJU_RELATION": "peers", "JUJU_RELATION_ID": "peers:0", "JUJU_REMOTE_APP": "one", "JUJU_REMOTE_UNIT": ""},
        ),
        ("work-pebble-ready", Hook("pebble-ready", container="work"), {"JUJU_WORKLOAD_NAME": "work"}),
        (
            "work-pebble-custom-notice",
            Hook("pebble-custom-notice", container="work", notice="7", notice_type="custom", notice_key="a.b/c"),
            {
                "JUJU_WORKLOAD_NAME": "work",
                "JUJU_NOTICE_ID": "7",
                "JUJU_NOTICE_TYPE": "custom",
                "JUJU_NOTICE_KEY": "a.b/c",
            },
        ),
        (
            "work-pebble-check-failed",
            Hook("pebble-check-failed", container="work", check="up", notice="7", notice_type="change-update"),
            {"JUJU_WORKLOAD_NAME": "work", "JUJU_PEBBLE_CHECK_NAME": "up"},
        ),
        (
            "work-pebble-check-recovered",
            Hook("pebble-check-recovered", container="work", check="up"),
            {"JUJU_WORKLOAD_NAME": "work", "JUJU_PEBBLE_CHECK_NAME": "up"},
        ),
        (
            "data-storage-attached",
            Hook("storage-attached", storage="data"),
            {
                "JUJU_STORAGE_ID": "data/0",
                "JUJU_STORAGE_LOCATION": "/var/lib/juju/storage/data/0",
                "JUJU_STORAGE_KIND": "filesystem",
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_variables(world, name, hook, more):
    found = environment(world.model, "one/0", hook, "context-7")
    assert set(found) == ALWAYS | set(more)
    assert {key: found[key] for key in more} == more
    assert (found["JUJU_DISPATCH_PATH"], found["JUJU_HOOK_NAME"]) == (f"hooks/{name}", name)
    assert found["JUJU_CONTEXT_ID"] == "context-7"
    assert found["PATH"].split(":")[0] == "/var/lib/juju/tools"
    assert found["JUJU_CHARM_DIR"] == found["CHARM_DIR"] == "/var/lib/juju/agents/unit-one-0/charm"
    assert found["JUJU_VERSION"].startswith("3.6.")


def test_an_action(world):
    world.model = world.model.with_operation(Operation("7", "one/0", "action", name="greet"))
    found = environment(world.model, "one/0", Hook("action", operation="7"), "x")
    assert set(found) == ALWAYS | {"JUJU_ACTION_NAME", "JUJU_ACTION_UUID", "JUJU_ACTION_TAG"}
    assert (found["JUJU_DISPATCH_PATH"], found["JUJU_HOOK_NAME"]) == ("actions/greet", "")
    assert (found["JUJU_ACTION_NAME"], found["JUJU_ACTION_UUID"], found["JUJU_ACTION_TAG"]) == (
        "greet",
        "7",
        "action-7",
    )


@pytest.mark.parametrize(
    ("unit", "hook", "label", "revision"),
    [
        ("one/0", "secret-changed", "mine", None),
        ("two/1", "secret-changed", "theirs", None),
        ("two/0", "secret-rotate", "theirs", None),
        ("two/0", "secret-remove", "theirs", "3"),
        ("two/0", "secret-expired", "theirs", "3"),
        ("three/0", "secret-changed", "", None),
    ],
)
def test_secrets(world, unit, hook, label, revision):
    """A reader's own label wins; units of the owner's application know a secret by the owner's."""
    number = "0" * 20
    world.deploy("three")
    model = secrets.create(
        world.model,
        "two/0",
        owner="two",
        secret_id=number,
        content={"key": "x"},
        attributes=Attributes("theirs"),
        now=0,
    )
    model = secrets.track(model, "one/0", number, 1, "mine")
    model = secrets.track(model, "two/1", number, 1, None)
    found = environment(model, unit, Hook(hook, secret=number, secret_revision=3), "x")
    expected = {"JUJU_SECRET_ID", "JUJU_SECRET_LABEL"} | ({"JUJU_SECRET_REVISION"} if revision else set())
    assert set(found) == ALWAYS | expected
    assert (found["JUJU_SECRET_ID"], found["JUJU_SECRET_LABEL"]) == (f"secret:{number}", label)
    assert found.get("JUJU_SECRET_REVISION") == revision


def test_proxies(world):
    config = {"juju-http-proxy": "http://p:1", "juju-no-proxy": "a,b", "http-proxy": "http://q:2", "no-proxy": "c"}
    found = environment(replace(world.model, config=config), "one/0", Hook("start"), "x")
    assert (found["JUJU_CHARM_HTTP_PROXY"], found["JUJU_CHARM_NO_PROXY"]) == ("http://p:1", "a,b")
    legacy = {"http_proxy": "http://q:2", "HTTP_PROXY": "http://q:2", "no_proxy": "c", "NO_PROXY": "c"}
    assert set(found) == ALWAYS | set(legacy)
    assert {key: found[key] for key in legacy} == legacy
