"""The databags of loki-k8s; our own charm reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nuages.charm.facts import Custom
from nuages.charm.interfaces import loki as charm_side
from nuages.services.driver import Refused
from nuages.services.loki import answer
from tests.charm.interfaces.examples import example
from tests.charm.interfaces.test_examples import NAMED
from tests.charm.made import facts

FQDN = "loki-0.loki-endpoints.cos.svc.cluster.local"


def test_databags_are_those_of_the_reference() -> None:
    reference = example("logging")
    assert answer.unit(FQDN, 3100) == dict(reference.units["loki/0"])
    assert dict(answer.answer([]).databag) == dict(reference.bag)


def test_our_own_charm_sends_logs_there() -> None:
    relation = example("logging", units={"loki-k8s/0": answer.unit(FQDN, 3100)})
    assert charm_side.parse(relation) == charm_side.Servers((("loki-k8s/0", f"http://{FQDN}:3100{answer.PUSH}"),))


def published(**rules: Any) -> dict[str, str]:
    ours = facts(**{**NAMED, "custom": Custom(loki_alert_rules={f"{name}.rule": each for name, each in rules.items()})})
    return dict(charm_side.publish(ours, example("logging"), "").app)


def test_rules_of_our_own_charm_are_taken() -> None:
    bag = published(bad={"alert": "Bad", "expr": 'sum(count_over_time({%%juju_topology%%} |= "x" [1m])) > 0'})
    (group,) = answer.rules("notes", bag)
    assert [rule["alert"] for rule in group["rules"]] == ["Bad"]
    assert answer.problems([group]) == []
    assert answer.rules("notes", published()) == answer.rules("notes", {}) == []


def test_rules_that_cannot_be_evaluated_are_told_on_the_relation() -> None:
    bag = published(
        some={"alert": "Lines", "expr": "{%%juju_topology%%}"},
        good={"alert": "Good", "expr": "count_over_time({%%juju_topology%%}[1m]) > 0"},
        what={"alert": "Much", "expr": "quantile_over_time(0.9, {%%juju_topology%%} | unwrap x [1m]) > 0"},
    )
    lines, much = answer.problems(answer.rules("notes", bag))
    assert lines == "alert rule Lines is refused: the expression gives lines, not numbers"
    assert much.startswith("alert rule Much is refused: quantile_over_time is not spoken here. This is not Loki")
    said = answer.answer([lines])
    assert json.loads(said.databag["event"]) == {"valid": False, "errors": lines}


@pytest.mark.parametrize(("text", "reason"), [("{", "is no JSON"), ("[]", "is no mapping")])
def test_nonsense_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Refused, match=f"notes: alert_rules {reason}"):
        answer.rules("notes", {"alert_rules": text})
