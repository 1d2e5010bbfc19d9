"""Which endpoints an integrate means."""

from dataclasses import replace

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
    assert "nuages integrate one:ask two:serve" in caught.value.fix
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


def test_what_the_charm_lacks_for_a_built_in_application_is_written_out():
    world = World().deploy("notes", provides={}, requires={})
    world.deploy("mysql-k8s", requires={}, provides={"database": {"interface": "mysql_client"}})
    server = world.model.applications["mysql-k8s"]
    world.model = world.model.with_application(replace(server, charm=replace(server.charm, digest="built-in")))
    for names in (("notes", "mysql-k8s"), ("mysql-k8s", "notes")):
        with pytest.raises(IntegrateError, match="no relations found") as caught:
            resolve(world.model, names)
        assert caught.value.fix == (
            "add `mysql: {interface: mysql_client, optional: true, limit: 1}` below `requires:` in notes's"
            f" charmcraft.yaml, then nuages up, then nuages integrate {' '.join(names)}"
        )


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
    assert "nuages remove-relation one:ask two:serve" in caught.value.fix


def test_the_same_relation_twice():
    world = World().deploy("one").deploy("two")
    world.integrate("one:ask", "two:serve")
    with pytest.raises(IntegrateError, match="relation already exists"):
        resolve(world.model, ("two:serve", "one:ask"))


def test_a_dying_relation_is_in_the_way():
    world = World().deploy("one").deploy("two").deploy("three")
    number = world.integrate("one:ask", "two:serve")
    world.pod("one/0", "two/0")
    world.run()
    world.model = lifecycle.remove_relation(world.model, number, 0)
    with pytest.raises(IntegrateError, match="it is dying, but not yet removed"):
        resolve(world.model, ("one:ask", "two:serve"))
    with pytest.raises(IntegrateError, match="maximum relation limit of 1"):
        resolve(world.model, ("one:ask", "three:serve"))
    world.run()
    assert ends(resolve(world.model, ("one:ask", "three:serve"))) == {"one:ask", "three:serve"}


def test_an_application_that_is_being_removed_is_not_integrated():
    world = World().deploy("one").deploy("two")
    world.pod("one/0", "two/0")
    world.run()
    world.model = lifecycle.remove_application(world.model, "two", 0)
    with pytest.raises(IntegrateError, match="two is being removed"):
        resolve(world.model, ("one:ask", "two:serve"))


def test_container_scope_needs_a_subordinate():
    scoped = {"requires": {"ask": {"interface": "talk", "scope": "container"}}}
    world = World().deploy("one", **scoped).deploy("two")
    with pytest.raises(IntegrateError, match="no relations found"):
        resolve(world.model, ("one:ask", "two:serve"))


def test_a_limit_counts_on_the_side_that_has_it():
    """Without a limit, or with 0, there may be any number."""
    limited = {"provides": {"serve": {"interface": "talk", "limit": 2}}}
    world = World().deploy("hub", **limited).deploy("a").deploy("b").deploy("c")
    world.integrate("a:ask", "hub:serve")
    world.integrate("b:ask", "hub:serve")
    with pytest.raises(IntegrateError) as caught:
        resolve(world.model, ("c:ask", "hub:serve"))
    assert str(caught.value) == "establishing a new relation for hub:serve would exceed its maximum relation limit of 2"
    assert caught.value.code == "quota-limit-exceeded"
    assert ends(resolve(world.model, ("hub:ask", "c:serve"))) == {"hub:ask", "c:serve"}


def test_the_explicit_endpoint_is_taken_before_the_implicit_one():
    world = World()
    world.deploy("one", requires={}, provides={"info": {"interface": "juju-info"}})
    world.deploy("two", provides={}, requires={"info": {"interface": "juju-info"}})
    assert ends(resolve(world.model, ("one", "two"))) == {"one:info", "two:info"}
    assert ends(resolve(world.model, ("one:juju-info", "two"))) == {"one:juju-info", "two:info"}


@pytest.mark.parametrize("text", ["", ":", ":ask", "one:ask:ask", "one/0", "ONE", "one:juju"])
def test_texts_that_name_nothing(text):
    world = World().deploy("one").deploy("two")
    with pytest.raises(NotFound) as caught:
        resolve(world.model, (text, "two"))
    assert caught.value.fix


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


OFFERED = ("mysql-k8s", "postgresql-k8s", "traefik-k8s")


def missing(world, name, offered=OFFERED):
    with pytest.raises(NotFound) as caught:
        resolve(world.model, ("notes", name), offered)
    return str(caught.value), caught.value.fix


def test_a_built_in_application_is_deployed_first():
    world = World().deploy("notes")
    for text in ("mysql-k8s", "mysql-k8s:database"):
        said, fix = missing(world, text)
        assert said == 'application "mysql-k8s" not found: it is built in, but not deployed'
        assert fix == "nuages deploy mysql-k8s, then the same again"


def test_a_typo_near_a_built_in_application():
    world = World().deploy("notes")
    said, fix = missing(world, "mysq-k8s")
    assert said == "application \"mysq-k8s\" not found, did you mean the built-in 'mysql-k8s'?"
    assert fix == "nuages deploy mysql-k8s, then the same again with this name; applications that are there: notes"


def test_a_typo_near_an_application_that_is_there():
    world = World().deploy("notes").deploy("mysql-k8s")
    said, fix = missing(world, "mysql-k8")
    assert said == "application \"mysql-k8\" not found, did you mean 'mysql-k8s'?"
    assert fix == "applications: notes, mysql-k8s"
    assert missing(world, "zzz") == ('application "zzz" not found', "applications: notes, mysql-k8s")


def test_a_built_in_application_under_another_name():
    world = World().deploy("notes").deploy("db")
    db = world.model.applications["db"]
    charm = replace(db.charm, name="mysql-k8s", digest="built-in")
    world.model = world.model.with_application(replace(db, charm=charm))
    assert missing(world, "mysql-k8s") == (
        'application "mysql-k8s" not found: it is deployed as db',
        "say db instead",
    )


def test_what_is_not_there_is_not_deployed_for_a_relation_to_remove():
    world = World().deploy("notes")
    with pytest.raises(NotFound, match='application "mysql-k8s" not found') as caught:
        find(world.model, ("notes", "mysql-k8s"))
    assert caught.value.fix == "applications: notes"
