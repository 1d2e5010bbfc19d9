"""The whole charm: what Prometheus, Grafana and Loki get to see of it, and when."""

import json
from pathlib import Path

import pytest
from ops import testing

from nuages.build import observability
from nuages.extension.project import read
from tests.charm.conftest import (
    CHARMCRAFT,
    USER_SECRET,
    NotesCharm,
    World,
    charm_documents,
    container,
    database,
    peer,
)

LOKI = {"endpoint": json.dumps({"url": "http://loki/loki/api/v1/push"})}


@pytest.fixture
def context(tmp_path: Path, world: World) -> testing.Context[NotesCharm]:
    """A charm with files of its own, as packing leaves them."""
    assert world.answer == 200
    root = tmp_path / "charm"
    (root / "cos_custom/prometheus_alert_rules").mkdir(parents=True)
    (root / "cos_custom/prometheus_alert_rules/few.rule").write_text("alert: Few\nexpr: x{%%juju_topology%%} < 1\n")
    (root / "cos_custom/loki_alert_rules").mkdir()
    (root / "cos_custom/loki_alert_rules/bad.rule").write_text("alert: Bad\nexpr: '{%%juju_topology%%} |= \"x\"'\n")
    (root / "paas-config.yaml").write_text(
        "prometheus: {scrape_configs: [{job_name: beat, static_configs: [{targets: ['@scheduler:1']}]}]}"
    )
    found = charm_documents(root, CHARMCRAFT)
    for name, text in observability.documents(read(root), root).items():
        (root / name).write_text(text)
    return testing.Context(
        NotesCharm,
        meta=found["metadata"],
        config=found["config"],
        actions=found["actions"],
        juju_version="3.6.9",
        charm_root=root,
    )


def state(tmp_path: Path, *, leader: bool = True) -> testing.State:
    relations = {
        database(),
        peer(),
        testing.Relation("metrics-endpoint", id=20, remote_app_name="prometheus"),
        testing.Relation("grafana-dashboard", id=21, remote_app_name="grafana"),
        testing.Relation("logging", id=22, remote_app_name="loki", remote_units_data={0: LOKI}),
    }
    return testing.State(
        leader=leader,
        relations=relations,
        containers={container(tmp_path)},
        secrets={USER_SECRET},
        model=testing.Model("shop", uuid="4d2a3c8e-0f4c-4b9e-8b1a-3f5f6d7e8c9a"),
        planned_units=1,
    )


def test_everybody_is_told_and_the_second_time_the_same(context: testing.Context[NotesCharm], tmp_path: Path) -> None:
    first = context.run(context.on.config_changed(), state(tmp_path))
    metrics = first.get_relation(20)
    bag = {key: json.loads(text) for key, text in metrics.local_app_data.items()}
    assert [group["name"] for group in bag["alert_rules"]["groups"]] == [
        "shop_4d2a3c8e_notes_django_rules",
        "shop_4d2a3c8e_notes_custom_few_rules",
    ]
    jobs = bag["scrape_jobs"]
    assert jobs[1]["static_configs"] == [{"targets": ["notes-0.notes-endpoints.shop.svc.cluster.local:1"]}]
    assert bag["scrape_metadata"]["charm_name"] == "notes"
    assert metrics.local_unit_data["prometheus_scrape_unit_name"] == "notes/0"
    assert metrics.local_unit_data["prometheus_scrape_unit_address"]
    assert list(json.loads(first.get_relation(21).local_app_data["dashboards"])["templates"]) == ["file:django"]
    logs = json.loads(first.get_relation(22).local_app_data["alert_rules"])
    assert logs["groups"][0]["rules"][0]["expr"].startswith('{juju_model="shop"')
    again = context.run(context.on.config_changed(), first)
    for number in (20, 21, 22):
        assert again.get_relation(number).local_app_data == first.get_relation(number).local_app_data
        assert again.get_relation(number).local_unit_data == first.get_relation(number).local_unit_data


def test_other_units_tell_their_address_alone(context: testing.Context[NotesCharm], tmp_path: Path) -> None:
    found = context.run(context.on.config_changed(), state(tmp_path, leader=False))
    assert found.get_relation(20).local_app_data == {}
    assert "prometheus_scrape_unit_fqdn" in found.get_relation(20).local_unit_data
    for number in (21, 22):
        assert found.get_relation(number).local_app_data == {}


def test_logs_flow_from_every_unit_and_stop_with_the_relation(
    context: testing.Context[NotesCharm], tmp_path: Path
) -> None:
    found = context.run(context.on.config_changed(), state(tmp_path, leader=False))
    targets = found.get_container("django-app").plan.log_targets
    assert targets["loki/0"].location == "http://loki/loki/api/v1/push"
    assert (targets["loki/0"].labels or {})["juju_unit"] == "notes/0"
    gone = context.run(context.on.relation_broken(found.get_relation(22)), found)
    assert gone.get_container("django-app").plan.log_targets["loki/0"].services == ["-all"]
