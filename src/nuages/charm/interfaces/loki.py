"""Loki (`loki_push_api`): logs of every service in the container, forwarded by Pebble itself."""

import json
from collections.abc import Mapping
from typing import cast

from nuages.charm import urls
from nuages.charm.facts import Bag, Facts, Relation
from nuages.charm.interfaces.base import Interface, NotReady, Publication, Value, decoded, no_secrets
from nuages.charm.observability import rules
from nuages.charm.observability.topology import labels, metadata
from nuages.charm.variables import Variable
from nuages.contract.endpoints import LOGGING
from nuages.contract.row import NamedTuple


def reads_units(_bag: Bag) -> bool:
    """Each unit of the provider names its own URL."""
    return True


class Servers(NamedTuple):
    """Where logs go."""

    urls: tuple[tuple[str, str], ...]
    """Remote unit, URL; sorted."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """None: the application writes to its standard output."""
        return ()


def publish(facts: Facts, _relation: Relation, _url: str) -> Publication:
    """Say whose logs these are, and what to raise alarms about. Nothing is needed to be told where logs go."""
    if not facts.repairs:
        return Publication()  # the user's own rules are not read at other events
    return Publication(
        app={
            "metadata": json.dumps(metadata(facts)),
            "alert_rules": json.dumps(rules.document(facts, facts.custom.loki_alert_rules)),
        },
        once=False,
    )


def parse(relation: Relation) -> Servers | NotReady:
    """Read the units' URLs; one unit that has none yet does not keep the others waiting."""
    found = {unit: url for unit, bag in relation.units.items() if (url := _url_of(bag))}
    return Servers(tuple(sorted(found.items()))) if found else NotReady("no endpoint yet")


def _url_of(bag: Bag) -> str:
    answer = decoded(bag.get("endpoint", ""))
    url = cast("dict[str, object]", answer).get("url") if isinstance(answer, dict) else None
    return urls.web(url) if isinstance(url, str) else ""


def settle(facts: Facts, _relation: Relation, value: Value | NotReady) -> Value | NotReady:
    """Without Juju 3.4 no logs are forwarded: an older Pebble refuses a plan with log targets."""
    return value if facts.forwards_logs else NotReady("Juju 3.4 or later is needed to forward logs")


def log_targets(facts: Facts, relation: Relation) -> Mapping[str, Mapping[str, object]]:
    """Return a log target for each unit that takes logs, named after it."""
    value = settle(facts, relation, parse(relation))
    if not isinstance(value, Servers):
        return {}
    return {
        unit: {
            "override": "replace",
            "type": "loki",
            "location": url,
            "services": ["all"],
            "labels": labels(facts),
        }
        for unit, url in value.urls
    }


INTERFACE = Interface(
    name=LOGGING.name,
    provider="loki-k8s",
    publish=publish,
    parse=parse,
    settle=settle,
    reads_units=reads_units,
    several=True,
    secrets=no_secrets,
    log_targets=log_targets,
)
