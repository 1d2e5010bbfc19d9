"""Prometheus's scrape jobs: the exporter of every unit, and what paas-config.yaml adds."""

from collections.abc import Mapping
from typing import cast

from nuages.charm.facts import Facts
from nuages.contract import layout

SCHEDULER = "@scheduler:"
"""Before a port: the unit that runs the schedulers, which is always number 0."""


def jobs(facts: Facts) -> list[dict[str, object]]:
    """Return the jobs; `*` in a target stands for each unit's address, put in by Prometheus's charm."""
    found: list[dict[str, object]] = [
        {
            "metrics_path": facts.paas.metrics_path,
            "static_configs": [{"targets": [f"*:{facts.paas.metrics_port}"]}],
        }
    ]
    return found + [_job(facts, job) for job in facts.paas.scrape_configs]


def _job(facts: Facts, job: Mapping[str, object]) -> dict[str, object]:
    configs = job.get("static_configs")
    found: dict[str, object] = {"metrics_path": layout.METRICS_PATH, **job}
    found["static_configs"] = [
        _static(facts, cast("dict[str, object]", config))
        for config in (cast("list[object]", configs) if isinstance(configs, list) else [])
        if isinstance(config, dict)
    ]
    return found


def _static(facts: Facts, config: dict[str, object]) -> dict[str, object]:
    targets = config.get("targets")
    listed = cast("list[object]", targets) if isinstance(targets, list) else []
    found: dict[str, object] = {"targets": [_target(facts, str(target)) for target in listed]}
    if config.get("labels"):
        found["labels"] = config["labels"]
    return found


def _target(facts: Facts, target: str) -> str:
    if not target.startswith(SCHEDULER):
        return target
    return f"{facts.fqdn_of(facts.app + '/0')}:{target.removeprefix(SCHEDULER)}"
