"""Which endpoints an integrate means."""

import pytest

from nuages.engine import lifecycle
from nuages.engine.endpoints import IntegrateError, find, resolve
from nuages.engine.errors import NotFound
from tests.engine.simulation import World

TWO = {"requires": {"a": {"interface": "talk"}, "b": {"interface": "talk"}}, "provides": {}}


def ends(pair):
    return {f"{side.application}:{side.endpoint}" for side in pair}


def test_the_only_pair_is_found_from_names_alone():
    world = World().deploy("one", provides={}).deploy("two", requires={})
    assert ends(resolve(world.model, ("one", "two"))) == {"one:ask", "two:serve"}


def test_both_ways_is_ambiguous():
    world = World().deploy("one").deploy("two")
    with pytest.raises(IntegrateError, match=r'ambiguous relation: "one two" could refer to') as caught:
        resolve(world.model, ("one", "two"))
    assert '"one:ask two:serve"' in str(caught.value)
    assert '"one:serve two:ask"' in str(caught.value)
    assert ends(resolve(world.model, ("one:ask", "two"))) == {"one:ask", "two:serve"}


def test_several_endpoints_of_one_interface_are_ambiguous():
    world = World().deploy("one", **TWO).deploy("two", requires={})
    with pytest.raises(IntegrateError, match="ambiguous relation"):
        resolve(world.model, ("one", "two"))
    assert ends(resolve(world.model, ("two", "one:b"))) == {"one:b", "two:serve"}


def test_nothing_fits():
    world = World().deploy("one", requires={}).deploy("two", requires={})
    with pytest.raises(IntegrateError, match="no relations found") as caught:
        resolve(world.model, ("one", "two"))
    assert "serve (provider of talk)" in caught.value.fix


def test_peers_and_oneself_never():
    world = World().deploy("one")
    with pytest.raises(IntegrateError, match="no relations found"):
        resolve(world.model, ("one:peers", "one:peers"))


def test_the_limit_is_jujus_error():
    world = World().deploy("one").deploy("two").deploy("three")
    world.integrate("one:ask", "two:serve")
    with pytest.raises(IntegrateError) as caught:
        resolve(world.model, ("one:ask", "three:serve"))
    assert str(caught.value) == "establishing a new relation for one:ask would exceed its maximum relation limit of 1"
    assert "nuages remove-relation one two" in caught.value.fix


def test_the_same_relation_twice():
    world = World().deploy("one").deploy("two")
    world.integrate("one:ask", "two:serve")
    with pytest.raises(IntegrateError, match="relation already exists"):
        resolve(world.model, ("two:serve", "one:ask"))


def test_unknown_names():
    world = World().deploy("one")
    with pytest.raises(NotFound, match='application "two" not found'):
        resolve(world.model, ("one", "two"))
    with pytest.raises(NotFound, match='application "one" has no "db" relation'):
        resolve(world.model, ("one:db", "one"))


def test_finding_a_relation_to_remove():
    world = World().deploy("one").deploy("two")
    number = world.integrate("one:ask", "two:serve")
    assert find(world.model, ("two", "one")).id == number
    world.integrate("one:serve", "two:ask")
    with pytest.raises(IntegrateError, match="ambiguous"):
        find(world.model, ("one", "two"))
    with pytest.raises(NotFound, match="are not related"):
        find(lifecycle.remove_relation(world.model, number, 0), ("one:ask", "two"))


def test_the_implicit_endpoint_serves_when_nothing_else_does():
    world = (
        World()
        .deploy("one", provides={}, requires={})
        .deploy("two", provides={}, requires={"info": {"interface": "juju-info"}})
    )
    number = world.integrate("one", "two")
    world.pod("one/0", "two/0")
    lines = world.run()
    assert "two/0 info-relation-joined one/0" in lines
    assert not [line for line in lines if line.startswith("one/0 juju-info")]
    world.model = lifecycle.remove_relation(world.model, number, 0)
    world.run()
    assert number not in world.model.relations
