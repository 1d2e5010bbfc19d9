"""Prometheus (`prometheus_scrape`): what to scrape and what to raise alarms about. Here we are the provider."""

import json

from nuages.charm.facts import Facts, Relation
from nuages.charm.interfaces.base import Interface, NotReady, Publication, no_secrets
from nuages.charm.observability import alerts, rules, scrape
from nuages.charm.observability.provided import PROVIDED, Provided
from nuages.charm.observability.topology import metadata
from nuages.contract.endpoints import METRICS


def publish(facts: Facts, _relation: Relation, _url: str) -> Publication:
    """Say what is there to scrape; each unit names its own address.

    A unit that does not know its address yet leaves its part for the next event.
    """
    app = {
        "scrape_metadata": metadata(facts),
        "scrape_jobs": scrape.jobs(facts),
        "alert_rules": rules.document(facts, {alerts.FILE: alerts.RULES, **facts.custom.prometheus_alert_rules}),
    }
    unit: dict[str, str] = {}
    if facts.address and facts.fqdn:
        unit = {
            "prometheus_scrape_unit_address": facts.address,
            "prometheus_scrape_unit_name": facts.unit,
            "prometheus_scrape_unit_fqdn": facts.fqdn,
        }
    return Publication(app={key: json.dumps(value) for key, value in app.items()}, unit=unit, once=False)


def parse(_relation: Relation) -> Provided | NotReady:
    """Read nothing: that somebody scrapes changes nothing for us."""
    return PROVIDED


INTERFACE = Interface(
    name=METRICS.name, provider="prometheus-k8s", publish=publish, parse=parse, several=True, secrets=no_secrets
)
