"""What Prometheus is told, from what charms publish; no server needed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.charm.facts import Custom, Paas
from nuages.charm.interfaces import prometheus as charm_side
from nuages.services.driver import Refused
from nuages.services.prometheus import answer, checks
from tests.charm.interfaces.examples import example
from tests.charm.interfaces.test_examples import NAMED
from tests.charm.made import facts

JOBS = (
    {
        "job_name": "celery",
        "scrape_interval": "30s",
        "not_known": 1,
        "static_configs": [{"targets": ["*:8081", "@scheduler:8082"], "labels": {"kind": "worker"}}],
    },
    {"job_name": "celery", "static_configs": [{"targets": ["*:8083"]}]},
)
OWN = {"custom_few.rule": {"alert": "Few", "expr": "x{%%juju_topology%%} < 1", "annotations": {"summary": "😀 é"}}}


def published() -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return what our own charm says: its application's databag and those of two units."""
    units: dict[str, dict[str, str]] = {}
    app: dict[str, str] = {}
    for number in (10, 2):
        ours = facts(
            **{
                **NAMED,
                "unit": f"myapp/{number}",
                "address": f"10.1.20.{number}",
                "fqdn": f"myapp-{number}.myapp-endpoints",
                "paas": Paas(scrape_configs=JOBS),
                "custom": Custom(prometheus_alert_rules=OWN),
            }
        )
        publication = charm_side.publish(ours, example("metrics-endpoint"), "")
        app, units[f"myapp/{number}"] = dict(publication.app), dict(publication.unit)
    return app, units


def scraped() -> answer.Scraped:
    found = answer.parse("notes", *published())
    assert found
    (found,) = answer.distinct([found])
    return found


def test_what_our_charm_publishes_becomes_jobs_targets_and_rules(golden: Callable[[str, str], None]) -> None:
    found = scraped()
    configuration = answer.configuration(
        found.jobs, targets="/t", rules="/r", scrape_interval="15s", evaluation_interval="1m"
    )
    golden("configuration.json", configuration)
    golden("targets.json", answer.document({job.file: list(job.targets) for job in found.jobs}))
    golden("rules.json", answer.rule_file(found.rules))


def test_rules_are_those_that_were_published() -> None:
    app, _ = published()
    assert json.loads(answer.rule_file(scraped().rules)) == json.loads(app["alert_rules"])


def test_a_unit_that_does_not_know_its_address_yet_is_left_out() -> None:
    app, units = published()
    units["myapp/11"] = {}
    found = answer.parse("notes", app, units)
    assert found
    assert answer.distinct([found]) == [scraped()]


def test_a_requirer_that_said_nothing_yet_is_nothing() -> None:
    assert answer.parse("notes", {}, {"notes/0": {}}) is None


def test_problems_are_said_on_the_relation_and_nothing_else() -> None:
    assert dict(answer.answer([]).databag) == {}
    assert json.loads(answer.answer(["a", "b"]).databag["event"]) == {"errors": "a; b"}


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("scrape_metadata", "{", "scrape_metadata is no JSON"),
        ("scrape_metadata", "[]", "scrape_metadata is no mapping"),
        ("scrape_metadata", "{}", "lacks model, model_uuid, application, charm_name"),
        ("scrape_jobs", "{}", "scrape_jobs is no list"),
        ("alert_rules", "[", "alert_rules is no JSON"),
        ("alert_rules", "1", "alert_rules is no mapping"),
    ],
)
def test_nonsense_is_refused(key: str, value: str, reason: str) -> None:
    app, units = published()
    with pytest.raises(Refused, match=reason):
        answer.parse("notes", app | {key: value}, units)


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(jobs=st.lists(JSON), rules=st.dictionaries(st.just("groups"), st.lists(JSON)), static=JSON, text=st.text())
def test_nothing_in_a_databag_raises_but_a_refusal(jobs: list[Any], rules: Any, static: Any, text: str) -> None:
    app, units = published()
    made = [*jobs, {"job_name": text, "static_configs": static}, {"static_configs": [{"targets": static}]}]
    more = {"scrape_jobs": json.dumps(made), "alert_rules": json.dumps(rules)}
    found = answer.parse("notes", app | more, units)
    assert found
    found, again = answer.distinct([found, found])
    assert found.identifier != again.identifier
    assert not {job.name for job in found.jobs} & {job.name for job in again.jobs}
    assert len({job.name for job in found.jobs}) == len(found.jobs)
    for job in found.jobs:
        assert "/" not in job.file
        assert len(job.file) < 250
    json.loads(
        answer.configuration(found.jobs, targets="/t", rules="/r", scrape_interval="1s", evaluation_interval="1s")
    )
    with_text = app | {"scrape_jobs": text}
    try:
        answer.parse("notes", with_text, units)
    except Refused as refusal:
        assert "notes: scrape_jobs is no" in str(refusal)


def test_the_reason_of_each_refused_file_is_found_in_what_promtool_prints() -> None:
    # As promtool 2.42 prints it.
    output = """  FAILED:
/c/rule-0.json: 1:53: group "a", rule 1, "X": could not parse expression: 1:6: parse error: unexpected end of input
  FAILED:
/c/rule-2.json: not a valid duration string: "x"
  FAILED:
/c/rule-3.json: yaml: unmarshal errors:
  line 1: field lables not found in type rulefmt.RuleNode
  FAILED:
/c/rule-4.json: group "a", rule 1, "X": invalid label name: a-b
/c/rule-4.json: group "a", rule 1, "X": annotation "a": template: __alert_X:1: function "foo" not defined
  FAILED: parsing YAML file /c/job-2.json: "http://a/b" is not a valid hostname
"""
    names = [f"rule-{number}.json" for number in range(5)] + ["job-2.json"]
    assert checks.reasons(output, names) == {
        "rule-0.json": "could not parse expression: 1:6: parse error: unexpected end of input",
        "rule-2.json": 'not a valid duration string: "x"',
        "rule-3.json": "line 1: field lables not found in type rulefmt.RuleNode",
        "rule-4.json": "invalid label name: a-b",
        "job-2.json": '"http://a/b" is not a valid hostname',
    }
