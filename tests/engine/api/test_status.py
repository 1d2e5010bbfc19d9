"""The status document is one that Juju's clients read."""

from dataclasses import replace

import pytest

from nuages.engine.api.documents import application_config, observed
from nuages.engine.api.status import status
from nuages.engine.resolver.advance import failed
from nuages.engine.state import Hook, Status
from tests.engine.simulation import World


@pytest.fixture
def world():
    world = World().deploy("one", units=2, config={"say": "x"}).deploy("two")
    world.integrate("one:ask", "two:serve")
    world.pod("one/0", "one/1", "two/0")
    world.run()
    return world


def shown(world):
    return status(world.model, {}, "", 0.0)


def with_status(world, unit, text):
    world.model = world.model.with_unit(replace(world.model.units[unit], status=Status(text, "why", 1.0)))


def test_the_worst_unit_speaks_for_the_application(world):
    with_status(world, "one/0", "active")
    with_status(world, "one/1", "blocked")
    assert shown(world)["applications"]["one"]["application-status"]["current"] == "blocked"
    world.model = failed(world.model, "one/0", Hook("config-changed"), 1.0)
    found = shown(world)["applications"]["one"]
    assert found["application-status"]["current"] == "error"
    assert found["units"]["one/0"]["workload-status"]["message"] == 'hook failed: "config-changed"'
    assert found["units"]["one/0"]["juju-status"]["current"] == "idle"


def test_leader_address_and_relations(world):
    found = shown(world)["applications"]["one"]
    assert found["units"]["one/0"]["leader"] is True
    assert "leader" not in found["units"]["one/1"]
    assert found["address"] == found["units"]["one/0"]["address"]
    assert found["relations"]["ask"] == [{"related-application": "two", "interface": "talk", "scope": "global"}]


@pytest.mark.parametrize(
    ("stopped", "said"),
    [
        ("down", "stopped: nuages up"),
        ("since reboot", "stopped since reboot: nuages up"),
        ("for a snapshot", "stopped for a snapshot"),
    ],
)
def test_a_stopped_model_says_why(world, stopped, said):
    world.model = replace(world.model, stopped=stopped)
    found = shown(world)
    assert found["nuages"]["stopped"] == said
    assert found["applications"]["one"]["units"]["one/0"]["workload-status"]["current"] == "unknown"


def test_what_up_plans_against(world):
    found = observed(world.model)
    assert found["relations"] == [["one:ask", "two:serve"]]
    assert found["applications"]["one"]["config"] == {"say": "x"}
    assert found["applications"]["one"]["units"] == ["one/0", "one/1"]
    assert found["applications"]["one"]["charm"] == "digest-one"


def test_configuration_is_jujus_shape(world):
    settings = application_config(world.model, "one")["settings"]
    assert settings["say"] == {
        "value": "x",
        "default": "nothing",
        "source": "user",
        "type": "string",
        "description": "",
    }
    assert settings["count"] == {"source": "unset", "type": "int", "description": ""}


def test_a_unit_whose_workload_died_is_not_called_active(world):
    with_status(world, "one/0", "active")
    with_status(world, "one/1", "active")
    found = status(world.model, {}, "", 0.0, {"one/1": "server: service web is not running (backoff)"})
    one = found["applications"]["one"]
    assert one["units"]["one/0"]["workload-status"]["current"] == "active"
    assert one["units"]["one/1"]["workload-status"]["current"] == "waiting"
    assert "not running" in one["application-status"]["message"]


def test_the_url_is_that_of_the_ingress_in_use():
    route = {"ingress": {"interface": "ingress"}}
    world = World().deploy("shop", provides={}, requires=route)
    for name in ("a-proxy", "z-proxy"):
        world.deploy(name, provides=route, requires={})
    world.model = replace(world.model, published={"a-proxy/web": 8001, "z-proxy/web": 8000, "shop/page": 9000})
    assert shown(world)["nuages"]["url"] == "http://localhost:8001/"
    world.integrate("shop:ingress", "z-proxy:ingress")
    assert shown(world)["nuages"]["url"] == "http://localhost:8000/"
