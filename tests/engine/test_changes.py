"""When a change is ready."""

from nuages.engine import changes, lifecycle
from nuages.engine.resolver import next_hook
from nuages.engine.state import Goal
from tests.engine.simulation import World


def settled(world):
    def check(model, unit):
        return next_hook(model, unit, world.observed(unit)) is None and unit in world.boots

    return check


def begin(world, *goals):
    world.model, change = changes.begin(world.model, "kind", "summary", goals, 1.0)
    return change


def ready(world, change):
    world.model = changes.evaluate(world.model, settled(world), 2.0)
    return world.model.changes[change].status == "Done"


def test_a_deployment_waits_for_every_unit():
    world = World().deploy("one", units=2)
    change = begin(world, Goal("settled", "one"))
    world.pod("one/0")
    world.run()
    assert not ready(world, change)
    world.pod("one/1")
    assert not ready(world, change)
    world.run()
    assert ready(world, change)


def test_a_relation_waits_for_what_follows_on_both_sides():
    world = World().deploy("one").deploy("two")
    world.pod("one/0", "two/0")
    world.run()
    world.does["serve-relation-changed"] = lambda context: context.write_bag(
        context.hook.relation, {"answer": "yes"}, application=False
    )
    number = world.integrate("one:ask", "two:serve")
    change = begin(world, Goal("settled", "one"), Goal("settled", "two"))
    while line := world.step("two/0") or world.step("one/0"):
        assert not ready(world, change) or world.log[-1] == line
    assert ready(world, change)
    assert world.model.relations[number].bag("two/0").data["answer"] == "yes"


def test_removal_waits_until_it_is_gone():
    world = World().deploy("one")
    world.pod("one/0")
    world.run()
    world.model = lifecycle.remove_application(world.model, "one", 1.0)
    change = begin(world, Goal("gone", "one"))
    assert not ready(world, change)
    world.run()
    assert ready(world, change)


def test_a_failed_change_stays_failed():
    world = World().deploy("one")
    change = begin(world, Goal("settled", "one"))
    world.model = changes.fail(world.model, change, "no", "mend", 2.0)
    world.pod("one/0")
    world.run()
    assert not ready(world, change)
    assert world.model.changes[change].error == "no"


def test_tasks_keep_their_last_lines():
    world = World().deploy("one")
    change = begin(world, Goal("settled", "one"))
    world.model, task = changes.add_task(world.model, change, "a step")
    world.model = changes.end_task(world.model, task, "Done", [str(number) for number in range(1000)])
    (found,) = world.model.changes[change].tasks
    assert (found.status, found.log[-1], len(found.log)) == ("Done", "999", changes.KEPT_LINES)
