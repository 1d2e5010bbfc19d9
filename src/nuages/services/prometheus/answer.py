"""From what a charm publishes on prometheus_scrape to what Prometheus is told: jobs, targets, alert rules. Pure.

Field names and the shape of jobs are those of Charmhub's `prometheus_k8s` library (version 0 of prometheus_scrape).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from nuages.services.driver import Answer, Refused

ENDPOINT = "metrics-endpoint"
SETTINGS = frozenset(
    {
        "metrics_path",
        "scrape_interval",
        "scrape_timeout",
        "proxy_url",
        "relabel_configs",
        "metric_relabel_configs",
        "sample_limit",
        "label_limit",
        "label_name_length_limit",
        "label_value_length_limit",
        "scheme",
        "basic_auth",
        "tls_config",
        "authorization",
        "params",
    }
)
"""What a job may say beside its name and targets; the library drops the rest, and so do we."""
_TOPOLOGY = ("model", "model_uuid", "application", "charm_name")
_DEFAULT_JOB: Mapping[str, Any] = {"metrics_path": "/metrics", "static_configs": [{"targets": ["*:80"]}]}


@dataclass(frozen=True)
class Job:
    """One scrape job; `targets` is what its file of targets says."""

    name: str
    settings: Mapping[str, Any]
    targets: tuple[Mapping[str, Any], ...]

    @property
    def file(self) -> str:
        """Return the name of its file of targets."""
        return f"{plain(self.name)}.json"

    @property
    def forbidden(self) -> str:
        """Return why it must not be scraped, whatever Prometheus says, or "".

        A file that a setting names is one of the server's own, its password for example, and Prometheus would send it
        to the targets. (Charmhub's charm takes the content of certificates in place of their paths; this release of
        Prometheus reads none from its configuration.)
        """
        named = sorted(_files(self.settings))
        return f"{named[0]} would be a file of Prometheus' own: say it in the job itself" if named else ""


@dataclass(frozen=True)
class Rule:
    """One rule of one group, as the requirer's databag has it."""

    group: str
    content: Mapping[str, Any]
    settings: Mapping[str, Any]
    """What else its group says, `interval` for example."""

    @property
    def name(self) -> str:
        """Return what people call it."""
        return str(self.content.get("alert") or self.content.get("record") or "without a name")


@dataclass(frozen=True)
class Scraped:
    """What one related application wants."""

    application: str
    identifier: str
    jobs: tuple[Job, ...]
    rules: tuple[Rule, ...]


def parse(application: str, bag: Mapping[str, str], units: Mapping[str, Mapping[str, str]]) -> Scraped | None:
    """Return what a related application wants, None while it has said nothing.

    Raises:
        Refused: its databag is not what the interface says.
    """
    if not bag.get("scrape_metadata") and not bag.get("scrape_jobs"):
        return None
    metadata = _mapping(application, "scrape_metadata", bag.get("scrape_metadata", ""))
    labels = {
        "juju_model": str(metadata.get("model") or ""),
        "juju_model_uuid": str(metadata.get("model_uuid") or ""),
        "juju_application": str(metadata.get("application") or ""),
        "juju_charm": str(metadata.get("charm_name") or ""),
    }
    missing = [name for name in _TOPOLOGY if not metadata.get(name)]
    if missing:
        raise Refused(f"{application}: scrape_metadata lacks {', '.join(missing)}")
    identifier = f"{labels['juju_model']}_{labels['juju_model_uuid'][:8]}_{labels['juju_application']}"
    jobs = _list(application, "scrape_jobs", bag.get("scrape_jobs", "")) or [_DEFAULT_JOB]
    rules = _mapping(application, "alert_rules", bag.get("alert_rules", "") or "{}")
    made = tuple(_job(identifier, labels, job, units) for job in jobs)
    return Scraped(application, f"juju_{identifier}", made, tuple(_rules(rules)))


def _job(
    identifier: str, labels: Mapping[str, str], job: Mapping[str, Any], units: Mapping[str, Mapping[str, str]]
) -> Job:
    prefix = f"juju_{identifier}_prometheus_scrape"
    name = f"{prefix}_{job['job_name']}" if job.get("job_name") else prefix
    settings = {key: value for key, value in job.items() if key in SETTINGS}
    # What an exporter says of itself wins: one may speak for several units.
    settings["honor_labels"] = True
    path = str(job.get("metrics_path") or "/metrics")
    targets: list[dict[str, Any]] = []
    for static in _mappings(job.get("static_configs")):
        given = static.get("labels")
        own = {str(k): str(v) for k, v in cast("dict[Any, Any]", given).items()} if isinstance(given, dict) else {}
        listed = static.get("targets")
        addresses = [str(each) for each in cast("list[Any]", listed)] if isinstance(listed, list) else []
        fixed = [address for address in addresses if "*" not in address]
        if fixed:
            targets.append({"targets": fixed, "labels": own | dict(labels)})
        for address in addresses:
            if "*" not in address:
                continue
            for unit, bag in sorted(units.items(), key=lambda each: _number(each[0])):
                host = bag.get("prometheus_scrape_unit_address") or bag.get("prometheus_scrape_unit_fqdn")
                if not host:
                    continue  # the unit does not know its address yet; its next event says it
                said = own | dict(labels) | {"juju_unit": bag.get("prometheus_scrape_unit_name") or unit}
                topology = (labels["juju_model"], labels["juju_model_uuid"], labels["juju_application"])
                said["instance"] = "_".join([*topology, said["juju_unit"]])
                said["job"] = f"{name}-{_number(unit)}"
                said["__metrics_path__"] = bag.get("prometheus_scrape_unit_path", "") + path
                targets.append({"targets": [address.replace("*", host, 1)], "labels": said})
    return Job(name, settings, tuple(targets))


def _files(settings: object) -> Iterable[str]:
    """Yield the names of settings that are paths of files."""
    if isinstance(settings, list):
        for each in cast("list[object]", settings):
            yield from _files(each)
    elif isinstance(settings, dict):
        for name, value in cast("dict[object, object]", settings).items():
            if str(name).endswith("_file"):
                yield str(name)
            yield from _files(value)


def distinct(wanted: Iterable[Scraped]) -> list[Scraped]:
    """Give jobs and rules of one name different ones: Prometheus would refuse all of them."""
    taken: set[str] = set()
    found: list[Scraped] = []
    for scraped in wanted:
        identifier = _free(scraped.identifier, taken)
        jobs = tuple(replace(job, name=_free(job.name, taken)) for job in scraped.jobs)
        found.append(replace(scraped, identifier=identifier, jobs=jobs))
    return found


def _free(name: str, taken: set[str]) -> str:
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found


def _rules(document: Mapping[str, Any]) -> Iterable[Rule]:
    for group in _mappings(document.get("groups")):
        settings = {key: value for key, value in group.items() if key not in ("name", "rules")}
        for rule in _mappings(group.get("rules")):
            yield Rule(str(group.get("name") or "rules"), rule, settings)


def rule_file(rules: Iterable[Rule]) -> str:
    """Return rules in Prometheus' form; "" without any."""
    groups: dict[str, dict[str, Any]] = {}
    for rule in rules:
        group = groups.setdefault(rule.group, {"name": rule.group, **rule.settings, "rules": []})
        group["rules"].append(rule.content)
    return document({"groups": list(groups.values())}) if groups else ""


def document(content: object) -> str:
    """Return JSON that is YAML too: escapes of characters beyond the first plane would not be."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
    return text.encode(errors="replace").decode()  # half a character, which JSON can hold, is in no file


def configuration(
    jobs: Iterable[Job], *, targets: str, rules: str, scrape_interval: str, evaluation_interval: str
) -> str:
    """Return Prometheus' configuration; `targets` and `rules` are the folders of those files."""
    return document(
        {
            "global": {"scrape_interval": scrape_interval, "evaluation_interval": evaluation_interval},
            "rule_files": [f"{rules}/*.json"],
            "scrape_configs": [
                {**job.settings, "job_name": job.name, "file_sd_configs": [{"files": [f"{targets}/{job.file}"]}]}
                for job in jobs
            ],
        }
    )


def answer(errors: Iterable[str]) -> Answer:
    """Return what is said on the relation: nothing, but what was wrong with rules and jobs."""
    found = "; ".join(errors)
    return Answer({"event": json.dumps({"errors": found})} if found else {})


def plain(name: str) -> str:
    """Return a name that can be a file's, and no two alike."""
    cut = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return cut if cut == name and len(cut) < 200 else f"{cut[:150]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _number(unit: str) -> int:
    number = unit.rpartition("/")[2]
    return int(number) if number.isdecimal() else 0


def _mappings(value: object) -> list[Mapping[str, Any]]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Mapping[str, Any]", item) for item in items if isinstance(item, dict)]


def _decoded(application: str, key: str, text: str) -> object:
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        raise Refused(f"{application}: {key} is no JSON") from None


def _mapping(application: str, key: str, text: str) -> Mapping[str, Any]:
    found = _decoded(application, key, text)
    if not isinstance(found, dict):
        raise Refused(f"{application}: {key} is no mapping")
    return cast("Mapping[str, Any]", found)


def _list(application: str, key: str, text: str) -> list[Mapping[str, Any]]:
    found = _decoded(application, key, text)
    if found is None:
        return []
    if not isinstance(found, list):
        raise Refused(f"{application}: {key} is no list")
    return _mappings(cast("object", found))
