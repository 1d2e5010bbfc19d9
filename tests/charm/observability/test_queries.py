"""Every query of the dashboard and of the alert rules, against what the rock's exporter really exposes."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nuages.charm.facts import Facts
from nuages.charm.observability import alerts, dashboards, rules
from tests.charm.interfaces.test_examples import NAMED
from tests.charm.made import facts
from tests.charm.observability.conftest import LABELS, Exporter, Prometheus, program

SERIES = re.compile(r"([a-z_]+)\{")
QUANTILE = re.compile(r'quantile="([0-9.]+)"')


def panels() -> Iterator[tuple[str, str]]:
    """Return the title and query of each of the dashboard's panels that asks Prometheus."""
    for panel in dashboards.builtin()["panels"]:  # pyright: ignore[reportGeneralTypeIssues]  JSON
        for target in panel["targets"]:
            if target["datasource"]["type"] == "prometheus":
                yield panel["title"], target["expr"]


PANELS = list(panels())
ALERTS = [(str(rule["alert"]), str(rule["expr"])) for rule in alerts.ALERTS]


def ours() -> Facts:
    return facts(**NAMED)


def document() -> dict[str, Any]:
    return rules.document(ours(), {alerts.FILE: alerts.RULES})


@pytest.mark.parametrize(("name", "query"), PANELS + ALERTS)
def test_series_that_are_asked_for_are_exposed(name: str, query: str, exporter: Exporter) -> None:
    metrics = exporter.metrics()
    names = set(SERIES.findall(query)) - {"up"}
    assert names or "up{" in query
    for series in names:
        assert re.search(rf"^{series}(\{{.*\}})? ", metrics, re.MULTILINE), f"{name}: nothing exposes {series}"
    for quantile in QUANTILE.findall(query):
        assert f'django_request_duration{{quantile="{quantile}"}}' in metrics, name


@pytest.mark.parametrize(("name", "query"), PANELS)
def test_panel_shows_something(name: str, query: str, prometheus: Prometheus) -> None:
    text = query.replace("$__rate_interval", "1m")
    for label, value in LABELS.items():
        text = text.replace(f'"${label}"', f'"{value}"')
    assert "$" not in text
    found = prometheus.query(text)
    assert found, f"{name}: {text}"
    assert not [each for each in found if each["value"][1] == "NaN"], f"{name}: {found}"


@pytest.mark.parametrize("query", [rule["expr"] for rule in document()["groups"][0]["rules"]])
def test_rule_is_understood_and_its_series_are_there(query: str, prometheus: Prometheus) -> None:
    prometheus.query(query)
    for series in re.findall(r"[a-z_]+\{[^}]*\}", query):
        assert prometheus.query(series.replace('quantile="0.9"', 'quantile="0.99"')), f"no such series: {series}"


def test_rules_pass_promtool(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(json.dumps(document()))
    command = [program("promtool"), "check", "rules", "--lint=all", "--lint-fatal", "rules.yml"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(ALERTS)} rules found" in result.stdout


def series(name: str, values: str, **labels: str) -> dict[str, str]:
    inside = ",".join(f'{key}="{value}"' for key, value in {**LABELS, **labels}.items())
    return {"series": f"{name}{{{inside}}}", "values": values}


OTHER = {"juju_application": "other", "juju_unit": "other/0"}
FIRES: dict[str, tuple[str, list[dict[str, str]]]] = {
    "DjangoTargetMissing": ("10m", [series("up", "1 1 0x20")]),
    "DjangoServerErrors": (
        "30m",
        [series("django_requests", "0+60x60"), series("django_response_code", "0+6x60", status="500")],
    ),
    "DjangoSlowRequests": ("30m", [series("django_request_duration", "1.2x60", quantile="0.9")]),
    "DjangoRestarts": ("12m", [series("process_start_time_seconds", "1 1 2 2 3 3 4x10")]),
    "DjangoWorkerTimeouts": ("5m", [series("gunicorn_log_critical", "_ _ _ _ 1 1 1")]),
    "DjangoWorkerDeaths": ("40m", [series("gunicorn_log_error", "4x35 5x10")]),
}
"""When and on what each alert fires; samples are a minute apart."""
QUIET: dict[str, tuple[str, list[dict[str, str]]]] = {
    "DjangoTargetMissing": ("10m", [series("up", "1x5 0 1x10"), series("up", "0x20", **OTHER)]),
    "DjangoServerErrors": (
        "30m",
        [
            series("django_requests", "0+60x60"),
            series("django_response_code", "0+60x60", status="404"),
            series("django_response_code", "0+2x60", status="500"),
            series("django_requests", "0+60x60", **OTHER),
            series("django_response_code", "0+60x60", status="500", **OTHER),
        ],
    ),
    "DjangoSlowRequests": (
        "30m",
        [
            series("django_request_duration", "9x60", quantile="0.99"),
            series("django_request_duration", "0.9x60", quantile="0.9"),
        ],
    ),
    "DjangoRestarts": ("12m", [series("process_start_time_seconds", "1 1 2 2 3 3 3x10")]),
    "DjangoWorkerTimeouts": ("40m", [series("gunicorn_log_critical", "4x60")]),
    "DjangoWorkerDeaths": ("40m", [series("gunicorn_log_error", "4x60"), series("gunicorn_log_warning", "0+1x60")]),
}
"""Near misses."""


@pytest.mark.parametrize("cases", [FIRES, QUIET], ids=["fires", "quiet"])
@pytest.mark.parametrize("name", [name for name, _ in ALERTS])
def test_alert(name: str, cases: dict[str, Any], tmp_path: Path) -> None:
    """`promtool test rules` plays the samples to the real evaluation."""
    (tmp_path / "rules.yml").write_text(json.dumps(document()))
    at, samples = cases[name]
    expression = f'count(ALERTS{{alertname="{name}", alertstate="firing", juju_application="myapp"}}) or vector(0)'
    wanted = {"labels": "{}", "value": 1 if cases is FIRES else 0}
    test = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": samples,
                "promql_expr_test": [{"expr": expression, "eval_time": at, "exp_samples": [wanted]}],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(json.dumps(test))
    command = [program("promtool"), "test", "rules", "test.yml"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
