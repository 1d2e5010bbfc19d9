"""Loki: every unit that takes logs gets them; one that is gone is silenced, the last one too."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm.decide import decide
from nuages.charm.facts import Custom, Facts, Relation
from nuages.charm.interfaces import loki
from nuages.charm.interfaces.base import NotReady
from nuages.charm.plan import Layer
from tests.charm.interfaces.examples import THOROUGH, example, parse
from tests.charm.interfaces.hostile import check
from tests.charm.made import facts, workload


def endpoint(url: str) -> dict[str, str]:
    return {"endpoint": json.dumps({"url": url})}


def targets(ours: Facts) -> dict[str, Any]:
    """Return the log targets that a plan adds or changes."""
    return {
        name: target
        for step in decide(ours).steps
        if isinstance(step, Layer) and step.label == "django-app-log-forwarding"
        for name, target in step.targets.items()
    }


def related(*relations: Relation, **changes: Any) -> Facts:
    return facts(event="logging_relation_changed", relations=(*facts().relations, *relations), **changes)


def test_unit_without_a_url_keeps_nobody_waiting() -> None:
    units = {"loki/0": {}, "loki/1": endpoint("http://b/push"), "loki/2": {"endpoint": "{"}}
    assert list(targets(related(example("logging", units=units)))) == ["loki/1"]
    assert parse(example("logging", units={"loki/0": {}})) == NotReady("no endpoint yet")


def test_logs_go_to_every_loki_there_is() -> None:
    first = example("logging", id=3)
    second = example("logging", id=4, app="agent", units={"agent/0": endpoint("http://c/push")})
    assert set(targets(related(first, second))) == {"loki/0", "agent/0"}


def test_same_targets_again_are_no_step_and_gone_ones_are_silenced() -> None:
    ours = related(example("logging"))
    wanted = targets(ours)
    assert wanted["loki/0"]["services"] == ["all"]
    there = workload(targets=wanted)
    assert targets(replace(ours, workload=there)) == {}
    gone = related(workload=there)
    silenced = targets(gone)
    assert silenced["loki/0"]["services"] == ["-all"]
    assert silenced["loki/0"]["location"] == "(removed)"
    assert targets(related(workload=workload(targets=silenced))) == {}


def test_target_that_the_rock_defines_is_left_alone() -> None:
    own = {"elsewhere": {"override": "replace", "type": "loki", "location": "http://x", "services": ["all"]}}
    assert targets(related(workload=workload(targets=own))) == {}


def test_pebble_of_an_old_juju_gets_no_targets_that_it_would_refuse() -> None:
    assert targets(related(example("logging"), forwards_logs=False)) == {}
    value = loki.settle(facts(forwards_logs=False), example("logging"), parse(example("logging")))
    assert value == NotReady("Juju 3.4 or later is needed to forward logs")


def test_own_rules_are_told_only_when_they_are_known() -> None:
    rule = {"alert": "Bad", "expr": '{%%juju_topology%%, pebble_service="django"} |= "x"'}
    ours = facts(custom=Custom(loki_alert_rules={"custom_bad.rule": rule}), model_uuid="abcdefgh-1", charm="c")
    written = json.loads(loki.publish(ours, example("logging"), "").app["alert_rules"])
    assert written["groups"][0]["name"] == "shop_abcdefgh_notes_custom_bad_rules"
    assert written["groups"][0]["rules"][0]["expr"].startswith('{juju_model="shop", juju_model_uuid="abcdefgh-1"')
    assert loki.publish(facts(event="logging_relation_changed"), example("logging"), "").app == {}


@THOROUGH
def test_what_comes_in_comes_out(examples: int) -> None:
    urls = st.from_regex(r"https?://[a-z][a-z0-9.-]{0,20}(:[0-9]{1,5})?/[!-~]{0,20}", fullmatch=True)

    @settings(max_examples=examples, deadline=None)
    @given(st.dictionaries(st.from_regex(r"[a-z]+/[0-9]", fullmatch=True), urls, min_size=1, max_size=4))
    def holds(given_urls: dict[str, str]) -> None:
        value = parse(example("logging", units={unit: endpoint(url) for unit, url in given_urls.items()}))
        assert isinstance(value, loki.Servers)
        assert dict(value.urls) == given_urls

    holds()


@THOROUGH
def test_nothing_in_a_databag_raises(examples: int) -> None:
    check("loki_push_api", ("endpoint",), examples, also=lambda relation: loki.log_targets(facts(), relation))
