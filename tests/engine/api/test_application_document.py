"""What is told about one application."""

from dataclasses import replace

import pytest

from nuages.engine import lifecycle
from nuages.engine.api.application_document import actions, removed, show_application
from nuages.engine.charm import Action
from nuages.engine.charms import of_service
from nuages.engine.errors import NotFound
from nuages.services import REGISTRY
from tests.engine.simulation import World


@pytest.fixture
def world():
    world = World().deploy("one", units=2, storage={"data": {"type": "filesystem"}}).deploy("two")
    world.integrate("one:ask", "two:serve")
    return world


def test_only_keys_that_are_true_here(world):
    (shown,) = show_application(world.model, "one").values()
    assert {key: value for key, value in shown.items() if key != "endpoint-bindings"} == {
        "charm": "one",
        "base": "ubuntu@24.04",
        "principal": True,
        "exposed": False,
        "remote": False,
        "life": "alive",
    }
    assert shown["endpoint-bindings"][""] == shown["endpoint-bindings"]["ask"] == "alpha"
    with pytest.raises(NotFound):
        show_application(world.model, "three")


def test_an_application_that_is_removed_is_dying(world):
    world.pod("one/0")
    world.run()
    model = lifecycle.remove_application(world.model, "one", 1.0)
    assert show_application(model, "one")["one"]["life"] == "dying"


def test_a_charms_actions_as_juju_reads_them(world):
    one = world.model.applications["one"]
    greet = Action("greet", "", {"name": {"type": "string"}, "loud": {"type": "boolean", "default": False}}, ("name",))
    shut = Action("shut", "Close.", additional=False)
    charm = replace(one.charm, actions={"shut": shut, "greet": greet})
    model = world.model.with_application(replace(one, charm=charm))
    assert list(actions(model, "one")) == ["greet", "shut"]
    assert actions(model, "one") == {
        "greet": {
            "description": "No description",
            "properties": {"loud": {"type": "boolean", "default": False}, "name": {"type": "string"}},
            "required": ["name"],
            "title": "greet",
            "type": "object",
        },
        "shut": {
            "additionalProperties": False,
            "description": "Close.",
            "properties": {},
            "title": "shut",
            "type": "object",
        },
    }


def test_a_built_in_applications_actions_tell_type_and_meaning_of_each_parameter(world):
    one = world.model.applications["one"]
    for service in REGISTRY.values():
        model = world.model.with_application(replace(one, charm=of_service(service)))
        for name, action in actions(model, "one").items():
            assert action["description"] not in ("", "No description"), f"{service.name} {name}"
            for key, parameter in action["properties"].items():
                assert parameter.get("type") and parameter.get("description"), f"{service.name} {name} {key}"


def test_what_goes_with_an_application(world):
    assert removed(world.model, "one", ()) == {
        "units": ["one/0", "one/1"],
        "storage": ["data/0", "data/1"],
        "relations": ["one:ask two:serve"],
    }
    assert removed(world.model, "two", ("store",))["storage"] == ["store/0"]
