"""Prometheus: what we publish is what `cosl`, the library of its charm, makes of the same rules."""

import json
import uuid
from typing import Any

import cosl
import pytest
from cosl.rules import AlertRules
from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm.decide import decide
from nuages.charm.facts import Custom, Facts, Paas
from nuages.charm.interfaces import prometheus
from nuages.charm.observability import alerts, rules
from tests.charm.interfaces.examples import THOROUGH, example
from tests.charm.interfaces.hostile import TEXT, check
from tests.charm.interfaces.test_examples import NAMED
from tests.charm.made import facts

JOB = {
    "job_name": "celery",
    "static_configs": [{"targets": ["*:8081", "@scheduler:8082"], "labels": {"kind": "worker"}}],
}


def published(**changes: Any) -> dict[str, Any]:
    publication = prometheus.publish(facts(**{**NAMED, **changes}), example("metrics-endpoint"), "")
    return {key: json.loads(text) for key, text in publication.app.items()}


def by_cosl(ours: Facts, files: dict[str, Any]) -> list[Any]:
    topology = cosl.JujuTopology(ours.model, ours.model_uuid, ours.app, charm_name=ours.charm)
    found = AlertRules("promql", topology)
    for name, content in files.items():
        found.add(content, group_name=name.partition(".")[0], group_name_prefix=topology.identifier)
    return found.as_dict()["groups"]


def test_databags_are_those_of_the_reference() -> None:
    found = published()
    assert found["scrape_metadata"] == {
        "model": "mymodel",
        "model_uuid": "4d2a3c8e-0f4c-4b9e-8b1a-3f5f6d7e8c9a",
        "application": "myapp",
        "unit": "myapp/0",
        "charm_name": "django-k8s",
    }
    assert found["scrape_jobs"] == [{"metrics_path": "/metrics", "static_configs": [{"targets": ["*:9102"]}]}]
    (group,) = found["alert_rules"]["groups"]
    assert group["name"] == "mymodel_4d2a3c8e_myapp_django_rules"
    missing = group["rules"][0]
    assert (missing["alert"], missing["for"]) == ("DjangoTargetMissing", "2m")
    assert missing["labels"] == {
        "severity": "critical",
        "juju_model": "mymodel",
        "juju_model_uuid": "4d2a3c8e-0f4c-4b9e-8b1a-3f5f6d7e8c9a",
        "juju_application": "myapp",
        "juju_charm": "django-k8s",
    }
    unit = prometheus.publish(facts(**NAMED), example("metrics-endpoint"), "").unit
    assert unit == {
        "prometheus_scrape_unit_address": "10.1.20.9",
        "prometheus_scrape_unit_name": "myapp/0",
        "prometheus_scrape_unit_fqdn": "myapp-0.myapp-endpoints.mymodel.svc.cluster.local",
    }


def test_no_rule_fires_for_another_application() -> None:
    matchers = 'juju_model="mymodel", juju_model_uuid="4d2a3c8e-0f4c-4b9e-8b1a-3f5f6d7e8c9a", juju_application="myapp"'
    for rule in published()["alert_rules"]["groups"][0]["rules"]:
        series = rule["expr"].count("{")
        assert rule["expr"].count("{" + matchers) == series > 0
        assert "%%" not in rule["expr"]


@pytest.mark.parametrize(
    "files",
    [
        {"custom_one.rule": {"alert": "A", "expr": "up"}},
        {
            "custom_two.yaml": {
                "groups": [{"name": "g-1", "rules": [{"alert": "A", "expr": "x", "labels": {"a": "b"}}]}]
            }
        },
        {"custom_own.rule": {"alert": "A", "expr": "x", "labels": {"juju_model": "elsewhere", "severity": "info"}}},
        {"custom_named.rules": {"groups": [{"name": "some_rules", "rules": [{"record": "r:s", "expr": "x"}]}]}},
    ],
)
def test_own_rules_are_named_and_labelled_as_cosl_does(files: dict[str, Any]) -> None:
    ours = facts(**NAMED)
    found = published(custom=Custom(prometheus_alert_rules=files))["alert_rules"]["groups"][1:]
    assert found == by_cosl(ours, files)


def test_topology_is_cosls() -> None:
    ours = facts(**NAMED)
    topology = cosl.JujuTopology.from_dict(published()["scrape_metadata"])
    expression = rules.document(ours, {"a.rule": {"alert": "A", "expr": "up{%%juju_topology%%,a=%%juju_topology%%}"}})
    (group,) = expression["groups"]  # pyright: ignore[reportGeneralTypeIssues]  a test's shortcut
    text = topology.alert_expression_str
    assert group["rules"][0]["expr"] == f"up{{{text},a={text}}}"


def test_groups_of_one_name_do_not_void_each_other() -> None:
    group = {"groups": [{"name": "same", "rules": [{"alert": "A", "expr": "x"}]}]}
    found = published(custom=Custom(prometheus_alert_rules={"custom_a.yml": group, "custom_b.yml": group}))
    names = [each["name"] for each in found["alert_rules"]["groups"]]
    assert len(set(names)) == len(names) == 3


def test_own_jobs_follow_and_the_schedulers_unit_is_named() -> None:
    assert published(paas=Paas(scrape_configs=(JOB,)))["scrape_jobs"][1] == {
        "job_name": "celery",
        "metrics_path": "/metrics",
        "static_configs": [
            {
                "targets": ["*:8081", "myapp-0.myapp-endpoints.mymodel.svc.cluster.local:8082"],
                "labels": {"kind": "worker"},
            }
        ],
    }
    moved = published(paas=Paas(metrics_port=9000, metrics_path="/m"))["scrape_jobs"]
    assert moved == [{"metrics_path": "/m", "static_configs": [{"targets": ["*:9000"]}]}]


def test_every_unit_and_every_prometheus_is_told() -> None:
    first, second = example("metrics-endpoint", id=20), example("metrics-endpoint", id=21, app="agent")
    writes = decide(facts(relations=(*facts().relations, first, second))).bags
    assert {(write.relation, write.scope) for write in writes if write.endpoint == "metrics-endpoint"} == {
        (20, "app"), (20, "unit"), (21, "app"), (21, "unit")
    }  # fmt: skip
    writes = decide(facts(leader=False, relations=(first,))).bags
    assert {write.scope for write in writes if write.endpoint == "metrics-endpoint"} == {"unit"}


def test_each_alert_says_what_is_wrong_and_how_bad() -> None:
    for rule in alerts.ALERTS:
        assert rule["labels"] in ({"severity": "warning"}, {"severity": "critical"})
        annotations = rule["annotations"]
        assert isinstance(annotations, dict)
        assert annotations["summary"]
        assert annotations["description"]


@THOROUGH
def test_names_are_such_as_prometheus_takes(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(TEXT, TEXT, st.uuids(version=4), TEXT)
    def holds(model: str, app: str, identity: uuid.UUID, group: str) -> None:
        ours = facts(**{**NAMED, "model": model, "app": app, "model_uuid": str(identity)})
        files = {"custom_x.yml": {"groups": [{"name": group, "rules": [{"alert": "A", "expr": "up"}]}]}}
        (found,) = rules.document(ours, files)["groups"]  # pyright: ignore[reportGeneralTypeIssues]  a test's shortcut
        assert found["name"].isascii()
        assert found["name"].replace(":", "_").isidentifier() or found["name"][0].isdigit()
        assert found["name"].endswith("_rules")

    holds()


@THOROUGH
def test_nothing_in_a_databag_raises(examples: int) -> None:
    check("prometheus_scrape", ("event",), examples)


@THOROUGH
def test_nothing_in_own_files_raises(examples: int) -> None:
    keys = st.sampled_from(["groups", "rules", "expr", "labels", "name", "static_configs", "targets"])
    values = st.recursive(
        st.sampled_from([None, 3, "", "%%juju_topology%%", "@scheduler:", "a/b.rule"]),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=6,
    )
    files = st.dictionaries(st.sampled_from(["", "/", "a.rule", "b/c/d.yml"]), values, max_size=2)

    @settings(max_examples=examples, deadline=None)
    @given(files, st.lists(st.dictionaries(keys, values, max_size=3), max_size=2))
    def holds(files: Any, jobs: Any) -> None:
        json.dumps(published(custom=Custom(prometheus_alert_rules=files), paas=Paas(scrape_configs=tuple(jobs))))

    holds()
