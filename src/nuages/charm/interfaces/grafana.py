"""Grafana (`grafana_dashboard`): our dashboards. Here we are the provider."""

import json

from nuages.charm.facts import Facts, Relation
from nuages.charm.interfaces.base import Interface, NotReady, Publication, no_secrets
from nuages.charm.observability import dashboards
from nuages.charm.observability.provided import PROVIDED, Provided
from nuages.contract.endpoints import DASHBOARD


def publish(facts: Facts, _relation: Relation, _url: str) -> Publication:
    """Hand over the dashboards: the same text as long as they are the same."""
    return Publication(app={"dashboards": json.dumps(dashboards.document(facts))}, once=False)


def parse(_relation: Relation) -> Provided | NotReady:
    """Read nothing: that somebody shows dashboards changes nothing for us."""
    return PROVIDED


INTERFACE = Interface(
    name=DASHBOARD.name, provider="grafana-k8s", publish=publish, parse=parse, several=True, secrets=no_secrets
)
