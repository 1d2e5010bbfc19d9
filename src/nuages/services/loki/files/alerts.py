"""Alert rules on lines: when they wait, fire and are resolved. They are sent nowhere: the API and the page show them.

States and fields are those of Prometheus' and Loki's rulers (GET /prometheus/api/v1/alerts and …/rules).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from . import reader
from .evaluate import Vector
from .logql import SECOND, Logs, Metric, QueryError, duration
from .wire import Labels

INTERVAL = 60 * SECOND
"""How often a group is evaluated that does not say it: Loki's own default."""
_LABEL = re.compile(r"\{\{\s*(?:\$labels\.(\w+)|\$value|\.Value|\.Labels\.(\w+))\s*\}\}")


@dataclass(frozen=True)
class Rule:
    """One rule, read; `problem` says why it is not evaluated."""

    group: str
    name: str
    expression: str
    wait: int = 0
    interval: int = INTERVAL
    labels: Labels = ()
    annotations: Labels = ()
    query: Metric | None = None
    problem: str = ""


@dataclass
class Alert:
    """One alert of a rule, since when (nanoseconds), and the newest value."""

    labels: Labels
    since: int
    value: float
    firing: bool = False


def read(document: object) -> list[Rule]:
    """Return the rules of a document with `groups`; broken ones say what is wrong."""
    found: list[Rule] = []
    for group in _mappings(document, "groups"):
        for rule in _mappings(group, "rules"):
            found.append(_rule(str(group.get("name") or "rules"), group.get("interval"), rule))
    return found


def _rule(group: str, interval: object, content: Mapping[str, object]) -> Rule:
    name, expression = str(content.get("alert") or ""), str(content.get("expr") or "")
    if not name:
        name = str(content.get("record") or "without a name")
        return Rule(group, name, expression, problem="only alerts are evaluated here, no recording rules")
    try:
        query = reader.parse(expression)
        if isinstance(query, Logs):
            raise QueryError("the expression gives lines, not numbers")
        return Rule(
            group,
            name,
            expression,
            duration(str(content["for"])) if content.get("for") not in (None, "", "0", 0) else 0,
            max(duration(str(interval)), SECOND) if interval else INTERVAL,
            _texts(content.get("labels")),
            _texts(content.get("annotations")),
            query,
        )
    except QueryError as error:
        return Rule(group, name, expression, problem=str(error))


def _texts(value: object) -> Labels:
    pairs = cast("dict[object, object]", value) if isinstance(value, dict) else {}
    return tuple((str(name), str(text)) for name, text in pairs.items())


def _mappings(value: object, key: str) -> list[Mapping[str, object]]:
    items = cast("dict[str, object]", value).get(key) if isinstance(value, dict) else None
    listed = cast("list[object]", items) if isinstance(items, list) else []
    return [cast("Mapping[str, object]", item) for item in listed if isinstance(item, dict)]


class Ruler:
    """The states of all rules; asked by many threads, changed by one."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self._lock = threading.Lock()
        self.alerts: dict[Rule, dict[Labels, Alert]] = {rule: {} for rule in rules}
        self.due: dict[Rule, int] = dict.fromkeys(rules, 0)

    def replace(self, rules: Sequence[Rule]) -> None:
        """Take other rules; those that stay the same keep their states."""
        with self._lock:
            self.alerts = {rule: self.alerts.get(rule, {}) for rule in rules}
            self.due = {rule: self.due.get(rule, 0) for rule in rules}

    def next(self, now: int) -> list[Rule]:
        """Return the rules that are to be evaluated now, and note when they are the next time."""
        ready = [rule for rule, due in self.due.items() if due <= now and rule.query is not None]
        for rule in ready:
            self.due[rule] = now + rule.interval
        return ready

    def update(self, rule: Rule, vector: Vector, now: int) -> list[str]:
        """Take the newest result of a rule and return what happened, for the log."""
        with self._lock:
            return self._update(rule, self.alerts[rule], vector, now)

    def _update(self, rule: Rule, known: dict[Labels, Alert], vector: Vector, now: int) -> list[str]:
        said: list[str] = []
        for found in list(known):
            if found not in vector and known.pop(found).firing:
                said.append(f"alert {rule.name} is resolved: {shown(found)}")
        for found, value in vector.items():
            alert = known.setdefault(found, Alert(found, now, value))
            alert.value = value
            if not alert.firing and now - alert.since >= rule.wait:
                alert.firing = True
                said.append(f"alert {rule.name} fires: {shown(found)}")
        return said

    def document(self) -> list[dict[str, object]]:
        """Return every alert that waits or fires, as the API has it."""
        with self._lock:
            return [_alert(rule, alert) for rule, alerts in self.alerts.items() for alert in alerts.values()]

    def groups(self) -> list[dict[str, object]]:
        """Return every rule by its group, as the API has it."""
        with self._lock:
            return self._groups()

    def _groups(self) -> list[dict[str, object]]:
        found: dict[str, dict[str, object]] = {}
        for rule, alerts in self.alerts.items():
            group = found.setdefault(
                rule.group, {"name": rule.group, "interval": rule.interval // SECOND, "rules": list[object]()}
            )
            cast("list[object]", group["rules"]).append(
                {
                    "type": "alerting",
                    "name": rule.name,
                    "query": rule.expression,
                    "duration": rule.wait // SECOND,
                    "labels": dict(rule.labels),
                    "annotations": dict(rule.annotations),
                    "alerts": [_alert(rule, alert) for alert in alerts.values()],
                    "state": _state(alerts.values()),
                    "health": "err" if rule.problem else "ok",
                    "lastError": rule.problem,
                }
            )
        return list(found.values())


def _state(alerts: Iterable[Alert]) -> str:
    states = [alert.firing for alert in alerts]
    return "firing" if any(states) else "pending" if states else "inactive"


def _alert(rule: Rule, alert: Alert) -> dict[str, object]:
    labels = {**dict(alert.labels), **dict(rule.labels), "alertname": rule.name}
    return {
        "labels": labels,
        "annotations": {name: filled(text, labels, alert.value) for name, text in rule.annotations},
        "state": "firing" if alert.firing else "pending",
        "activeAt": alert.since / SECOND,
        "value": f"{alert.value:g}",
    }


def filled(text: str, labels: Mapping[str, str], value: float) -> str:
    """Return an annotation with labels and the value put in; other templates of Go stay as they are."""

    def one(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return labels.get(name, "") if name else f"{value:g}"

    return _LABEL.sub(one, text)


def shown(labels: Labels) -> str:
    """Return labels as queries write them."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels) + "}"
