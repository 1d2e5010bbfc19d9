"""The user's own rules, dashboards and scrape jobs are in the charm, and its run time reads them."""

import json
import zipfile
from pathlib import Path

import pytest

from nuages.build import observability
from nuages.build.errors import BuildError
from nuages.build.pack import pack
from nuages.charm.observability import files
from nuages.extension.problems import ExtensionError
from nuages.extension.project import read

RULE = "alert: TooMany\nexpr: up{%%juju_topology%%} > 5\nfor: 5m\n"
JOB = {"job_name": "celery", "static_configs": [{"targets": ["@scheduler:8081"], "labels": {"kind": "beat"}}]}


@pytest.fixture
def charm(example: Path) -> Path:
    return example / "charm"


def write(directory: Path, name: str, text: str) -> None:
    file = directory / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.usefixtures("cache")
def test_own_files_reach_the_run_time(charm: Path, tmp_path: Path) -> None:
    write(
        charm,
        "paas-config.yaml",
        f"framework_logging_format: json\nprometheus: {{scrape_configs: [{json.dumps(JOB)}]}}\n",
    )
    write(charm, "cos_custom/prometheus_alert_rules/many.rule", RULE)
    write(charm, "cos_custom/loki_alert_rules/bad.yaml", "groups: [{name: g, rules: [{alert: A, expr: 'x'}]}]")
    write(charm, "cos_custom/grafana_dashboards/shop.json", '{"title": "Shop"}')
    with zipfile.ZipFile(pack(charm, tmp_path / "out").path) as archive:
        archive.extractall(tmp_path / "unpacked")
    for name in ("paas-config.yaml", "cos_custom/grafana_dashboards/shop.json"):
        assert (tmp_path / "unpacked" / name).read_text() == (charm / name).read_text()
    paas = files.paas(tmp_path / "unpacked")
    assert paas.json_logs
    assert paas.scrape_configs == (JOB,)
    custom = files.custom(tmp_path / "unpacked")
    assert custom.prometheus_alert_rules == {
        "custom_many.rule": {"alert": "TooMany", "expr": "up{%%juju_topology%%} > 5", "for": "5m"}
    }
    assert list(custom.loki_alert_rules) == ["custom_bad.yaml"]
    assert custom.grafana_dashboards == {"custom_shop.json": {"title": "Shop"}}


def test_without_such_files_nothing_is_added(charm: Path) -> None:
    assert observability.documents(read(charm), charm) == {}
    (charm / "cos_custom/loki_alert_rules").mkdir(parents=True)
    assert observability.documents(read(charm), charm) == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("prometheus_alert_rules/README.md", "hello"),
        ("prometheus_alert_rules/a.rule", "alert: A\n"),
        ("prometheus_alert_rules/a.rule", "groups: 3\n"),
        ("loki_alert_rules/a.yml", "groups: [{name: g}]\n"),
        ("loki_alert_rules/a.yml", "groups: [{name: g, rules: [x]}]\n"),
        ("grafana_dashboards/a.yaml", "title: x\n"),
        ("grafana_dashboards/a.json", "{"),
        ("grafana_dashboards/a.json", "[]"),
    ],
)
def test_what_nobody_could_read_is_refused(charm: Path, name: str, text: str) -> None:
    write(charm, f"cos_custom/{name}", text)
    with pytest.raises(BuildError) as caught:
        observability.documents(read(charm), charm)
    assert name in str(caught.value)
    assert caught.value.fix


def test_broken_yaml_is_refused_with_its_place(charm: Path) -> None:
    write(charm, "cos_custom/loki_alert_rules/a.yml", "groups: [")
    with pytest.raises(ExtensionError, match=r"a\.yml"):
        observability.documents(read(charm), charm)
