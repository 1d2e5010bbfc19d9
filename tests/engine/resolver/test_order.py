"""The order of hooks, as the resolver decides it."""

from dataclasses import replace

import pytest

from nuages.engine import lifecycle
from nuages.engine.hooks.tools import run as tool
from nuages.engine.resolver import Notice, Observed, next_hook
from nuages.engine.resolver.advance import committed, failed, next_backoff, started
from nuages.engine.state import Hook, Operation
from tests.engine.simulation import World


def say(context):
    """What most charms do: write into both own bags of the relation."""
    context.write_bag(context.hook.relation, {"said": "hello"}, application=False)
    if context.is_leader:
        context.write_bag(context.hook.relation, {"told": "hello"}, application=True)


@pytest.fixture
def world():
    world = World().deploy("one").deploy("two")
    world.does = dict.fromkeys(("ask-relation-created", "serve-relation-created"), say)
    return world


def of(lines, unit):
    return [line.removeprefix(f"{unit} ") for line in lines if line.startswith(f"{unit} ")]


def test_relations_made_before_the_pods_start(world):
    world.integrate("one:ask", "two:serve")
    world.pod("one/0", "two/0")
    lines = world.run()
    assert of(lines, "one/0") == [
        "install",
        "peers-relation-created one",
        "ask-relation-created two",
        "leader-elected",
        "config-changed",
        "start",
        "work-pebble-ready",
        "ask-relation-changed two",
        "ask-relation-joined two/0",
        "ask-relation-changed two/0",
    ]


def test_relations_made_on_running_units(world):
    world.pod("one/0", "two/0")
    world.run()
    world.integrate("one:ask", "two:serve")
    assert of(world.run(), "one/0") == [
        "ask-relation-created two",
        "ask-relation-changed two",
        "ask-relation-joined two/0",
        "ask-relation-changed two/0",
    ]


def test_application_data_may_come_before_the_unit_joins(world):
    world.pod("two/0")
    world.run()
    world.integrate("one:ask", "two:serve")
    world.run()
    world.pod("one/0")
    lines = of(world.run(), "one/0")
    assert lines.index("ask-relation-changed two") < lines.index("ask-relation-joined two/0")
    assert lines[lines.index("ask-relation-joined two/0") + 1] == "ask-relation-changed two/0"


def test_the_leader_leads_before_its_hook(world):
    seen = []
    world.does["peers-relation-created"] = lambda context: seen.append(context.is_leader)
    world.pod("one/0")
    world.run()
    assert seen == [True]


def test_changes_coalesce(world):
    number = world.integrate("one:ask", "two:serve")
    world.pod("one/0", "two/0")
    world.run()
    for text in ("a", "b", "c"):
        context = world.context("two/0")
        context.write_bag(number, {"said": text}, application=False)
        world.model = context.replay(world.model)
    assert of(world.run(), "one/0") == ["ask-relation-changed two/0"]


def test_the_same_data_again_is_no_change(world):
    number = world.integrate("one:ask", "two:serve")
    world.pod("one/0", "two/0")
    world.run()
    context = world.context("two/0")
    context.write_bag(number, {"said": "hello"}, application=False)
    world.model = context.replay(world.model)
    assert world.run() == []


def test_peers_meet_and_the_leader_hears_its_own_application_data():
    world = World().deploy("one", units=2)
    world.does["peers-relation-created"] = say
    world.pod("one/0", "one/1")
    lines = world.run()
    assert of(lines, "one/0").count("peers-relation-changed one") == 1
    assert "peers-relation-joined one/1" in of(lines, "one/0")
    assert "leader-elected" not in of(lines, "one/1")


def test_removing_a_relation(world):
    number = world.integrate("one:ask", "two:serve")
    world.pod("one/0", "two/0")
    world.run()
    world.model = lifecycle.remove_relation(world.model, number, world.now)
    lines = world.run()
    assert of(lines, "one/0") == ["ask-relation-departed two/0 (departing two/0)", "ask-relation-broken two"]
    assert number not in world.model.relations


def test_a_relation_nobody_heard_of_goes_without_a_hook(world):
    number = world.integrate("one:ask", "two:serve")
    world.model = lifecycle.remove_relation(world.model, number, world.now)
    assert number not in world.model.relations


def test_removing_the_highest_unit():
    world = World().deploy("one", units=2).deploy("two")
    world.integrate("one:ask", "two:serve")
    world.pod("one/0", "one/1", "two/0")
    world.run()
    world.model = lifecycle.scale(world.model, "one", 1, world.now)
    lines = world.run()
    assert of(lines, "one/1") == [
        "peers-relation-departed one/0 (departing one/1)",
        "ask-relation-departed two/0 (departing one/1)",
        "ask-relation-broken two",
        "stop",
        "remove",
    ]
    assert of(lines, "two/0") == ["serve-relation-departed one/1 (departing one/1)"]
    assert of(lines, "one/0") == ["peers-relation-departed one/1 (departing one/1)"]
    assert set(world.model.units) == {"one/0", "two/0"}


def test_removing_an_application_leaves_nothing_of_it(world):
    world.integrate("one:ask", "two:serve")
    world.pod("one/0", "two/0")
    world.run()
    world.model = lifecycle.remove_application(world.model, "one", world.now)
    lines = world.run()
    assert of(lines, "two/0") == ["serve-relation-departed one/0 (departing one/0)", "serve-relation-broken one"]
    assert of(lines, "one/0")[-2:] == ["stop", "remove"]
    assert set(world.model.applications) == {"two"}
    assert all(relation.side("one") is None for relation in world.model.relations.values())


def test_a_new_pod_is_an_upgrade(world):
    world.pod("one/0")
    world.run()
    world.model = lifecycle.churn(world.model, "one/0", world.now)
    world.pod("one/0")
    assert of(world.run(), "one/0") == ["upgrade-charm", "config-changed", "start", "work-pebble-ready"]


def test_a_new_boot_of_pebble_is_ready_again(world):
    world.pod("one/0")
    world.run()
    world.boots["one/0"] = "another"
    assert world.run() == ["one/0 work-pebble-ready"]


def test_config_changed_follows_configuration_and_address(world):
    world.pod("one/0")
    world.run()
    world.model = lifecycle.configure(world.model, "one", {"say": "x"})
    assert world.run() == ["one/0 config-changed"]
    world.model = lifecycle.configure(world.model, "one", {"say": "x"})
    assert world.run() == []
    world.model = world.model.with_unit(replace(world.model.units["one/0"], address="10.77.9.9"))
    assert world.run() == ["one/0 config-changed"]


def test_notices_in_their_order(world):
    world.pod("one/0")
    world.run()
    world.notices = (
        Notice("work", "pebble-check-failed", "2", "change-update", "7", "2026-01-01T00:00:00.200000000Z", "alive"),
        Notice("work", "pebble-custom-notice", "1", "custom", "a.b/c", "2026-01-01T00:00:00.100000000Z"),
    )
    assert world.run() == ["one/0 work-pebble-custom-notice", "one/0 work-pebble-check-failed"]


def test_update_status_comes_last_and_only_when_due(world):
    world.pod("one/0")
    world.run()
    world.now += 301
    world.model = lifecycle.configure(world.model, "one", {"say": "x"})
    assert world.run() == ["one/0 config-changed", "one/0 update-status"]


def test_another_interval_of_update_status_counts_from_now(world):
    world.pod("one/0")
    world.run()
    world.model = lifecycle.configure_model(world.model, {"update-status-hook-interval": "10s"}, world.now)
    assert world.run() == []
    world.now += 11
    assert world.run() == ["one/0 update-status"]
    due = world.model.units["one/0"].local.update_status_at
    other = {**world.model.config, "http-proxy": "http://p"}
    world.model = lifecycle.configure_model(world.model, other, world.now + 5)
    assert world.model.units["one/0"].local.update_status_at == due
    assert "http-proxy" in world.model.config


def test_a_failed_hook_repeats_and_nothing_else_runs(world):
    world.pod("one/0")
    hook = Hook("install")
    world.model = started(world.model, "one/0", hook, world.now)
    world.model = failed(world.model, "one/0", hook, world.now)
    world.model = lifecycle.configure(world.model, "one", {"say": "x"})
    assert next_hook(world.model, "one/0", world.observed("one/0")) is None
    world.now += 5
    assert next_hook(world.model, "one/0", world.observed("one/0")) == hook


def test_actions_run_while_a_hook_has_failed(world):
    world.pod("one/0")
    world.run()
    world.model = failed(world.model, "one/0", Hook("config-changed"), world.now)
    world.model = world.model.with_operation(Operation("1", "one/0", "action", name="greet"))
    assert next_hook(world.model, "one/0", world.observed("one/0")) == Hook("action", operation="1")


def test_a_hook_that_ran_when_the_daemon_died_repeats_at_once(world):
    world.pod("one/0")
    world.run()
    hook = Hook("config-changed")
    world.model = started(world.model, "one/0", hook, world.now)
    world.model = lifecycle.remove_application(world.model, "one", world.now)
    assert next_hook(world.model, "one/0", world.observed("one/0")) == hook


def test_a_failed_pebble_ready_is_forgotten_not_repeated(world):
    world.pod("one/0")
    world.run()
    hook = Hook("pebble-ready", container="work", boot_id="another")
    world.model = failed(started(world.model, "one/0", hook, world.now), "one/0", hook, world.now)
    assert world.model.units["one/0"].pending is None
    assert next_hook(world.model, "one/0", Observed(world.now, {})) is None


def test_data_written_during_a_hook_is_told_by_another(world):
    number = world.integrate("one:ask", "two:serve")
    world.pod("one/0", "two/0")
    world.run()
    hook = Hook("relation-changed", relation=number, remote_unit="two/0", remote_application="two")
    before = started(world.model, "one/0", hook, world.now)
    context = world.context("two/0")
    context.write_bag(number, {"said": "late"}, application=False)
    world.model = committed(context.replay(before), before, "one/0", hook, world.now)
    assert world.run() == ["one/0 ask-relation-changed two/0"]


@pytest.mark.parametrize(("failures", "seconds"), [(1, 5), (2, 10), (6, 160), (7, 300), (20, 300)])
def test_backoff(failures, seconds):
    assert next_backoff(failures) == seconds


def test_secret_changed_only_for_who_has_read(world):
    number = world.integrate("one:ask", "two:serve")
    world.pod("one/0", "two/0")
    world.run()
    context = world.context("two/0")
    uri = tool(context, "secret-add", ["key=old"], {}, None).out.strip()
    assert tool(context, "secret-grant", [uri, "-r", str(number)], {}, None).code == 0
    world.model = context.replay(world.model)
    context = world.context("two/0")
    assert tool(context, "secret-set", [uri, "key=new"], {}, None).code == 0
    world.model = context.replay(world.model)
    # nobody tracks the first revision: its owner may remove it
    assert world.run() == ["two/0 secret-remove"]
    assert tool(world.context("one/0"), "secret-get", [uri, "--format=json"], {}, None).out == '{"key":"new"}\n'
    context = world.context("two/0")
    assert tool(context, "secret-set", [uri, "key=newest"], {}, None).code == 0
    world.model = context.replay(world.model)
    assert world.run() == ["one/0 secret-changed"]
    assert tool(world.context("one/0"), "secret-get", [uri, "--format=json"], {}, None).out == '{"key":"new"}\n'
    tool(world.context("one/0"), "secret-get", [uri, "--refresh"], {}, None)
    assert world.run() == ["two/0 secret-remove"]
