"""Which rules and jobs Prometheus would refuse: each is asked for by itself, so that one broken keeps none out."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import ops.pebble

from nuages.services import driver
from nuages.services.prometheus import answer
from nuages.services.prometheus.answer import Job, Rule, Scraped

_FAILED = re.compile(r"^\s*FAILED:", re.MULTILINE)
_PLACE = re.compile(r'^(?:\d+:\d+: )?(?:group "[^"]*", rule \d+, "[^"]*": )?')


@dataclass(frozen=True)
class Problem:
    """A rule or job that is left out."""

    application: str
    what: str
    reason: str

    @property
    def text(self) -> str:
        """Return the problem for a status."""
        return f"{self.application}: {self.what} is refused: {self.reason}"


def check(
    client: ops.pebble.Client, promtool: str, folder: str, wanted: Sequence[Scraped], interval: str
) -> tuple[list[Scraped], list[Problem]]:
    """Return what Prometheus takes of `wanted`, and what is wrong with the rest.

    What has been asked for once is not asked for again: the answers are kept in `folder` of the container. `interval`
    is that of jobs which name none; one that waits longer for an answer would make Prometheus refuse all.
    """
    texts: dict[str, str] = {}
    for scraped in wanted:
        for job in scraped.jobs:
            text = _job_text(job, interval)
            texts[_file("job", text)] = text
        for rule in scraped.rules:
            texts[_file("rule", answer.rule_file([rule]))] = answer.rule_file([rule])
    known = _known(client, f"{folder}/known.json")
    refused = {name: known[name] for name in texts if name in known}
    fresh = {name: text for name, text in texts.items() if name not in known}
    for kind, command in (("job", "config"), ("rule", "rules")):
        names = sorted(name for name in fresh if name.startswith(kind))
        for name in names:
            client.push(f"{folder}/{name}", fresh[name], permissions=0o600, user=driver.USER, group=driver.USER)
        if names:
            refused |= _ask(client, [promtool, "check", command], folder, names)
            for name in names:
                client.remove_path(f"{folder}/{name}")
    if refused != known:
        text = json.dumps(refused, sort_keys=True)
        client.push(f"{folder}/known.json", text, permissions=0o600, user=driver.USER, group=driver.USER)
    return _sorted(wanted, refused, interval)


def _sorted(
    wanted: Sequence[Scraped], refused: Mapping[str, str], interval: str
) -> tuple[list[Scraped], list[Problem]]:
    problems: list[Problem] = []
    good: list[Scraped] = []
    for scraped in wanted:
        jobs: list[Job] = []
        for job in scraped.jobs:
            reason = job.forbidden or refused[_file("job", _job_text(job, interval))]
            if reason:
                problems.append(Problem(scraped.application, f"scrape job {job.name}", reason))
            else:
                jobs.append(job)
        rules: list[Rule] = []
        for rule in scraped.rules:
            reason = refused[_file("rule", answer.rule_file([rule]))]
            if reason:
                problems.append(Problem(scraped.application, f"alert rule {rule.name}", reason))
            else:
                rules.append(rule)
        good.append(replace(scraped, jobs=tuple(jobs), rules=tuple(rules)))
    return good, problems


def reasons(output: str, names: Sequence[str]) -> dict[str, str]:
    """Return what promtool's error output says of each file that it names; the first reason of each. Pure."""
    found: dict[str, str] = {}
    for block in _FAILED.split(output)[1:]:
        name = next((name for name in names if name in block), None)
        if name is None:
            continue
        text = block.partition(name)[2].lstrip(":").strip()
        line = " ".join(line.strip() for line in text.splitlines()[:2] if name not in line)
        found.setdefault(name, _PLACE.sub("", line.removeprefix("yaml: unmarshal errors: ")) or "not valid")
    return found


def _ask(client: ops.pebble.Client, argv: Sequence[str], folder: str, names: Sequence[str]) -> dict[str, str]:
    """Return "" for each file that is good, and the reason for each that is not."""
    try:
        driver.run(client, [*argv, *(f"{folder}/{name}" for name in names)])
    except driver.CommandFailed as error:
        bad = reasons(error.stderr, names)
        if not bad:
            raise driver.ServiceError(f"cannot check what to scrape: promtool says {error.stderr.strip()!r}") from None
        return dict.fromkeys(names, "") | bad
    return dict.fromkeys(names, "")


def _job_text(job: Job, interval: str) -> str:
    settings = {**job.settings, "job_name": job.name, "static_configs": list(job.targets)}
    return answer.document({"global": {"scrape_interval": interval}, "scrape_configs": [settings]})


def _file(kind: str, text: str) -> str:
    return f"{kind}-{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:32]}.json"


def _known(client: ops.pebble.Client, path: str) -> dict[str, str]:
    try:
        found: Any = json.loads(client.pull(path).read())
    except (ops.pebble.PathError, ValueError):
        return {}  # none yet, or written by another version
    return cast("dict[str, str]", found)
