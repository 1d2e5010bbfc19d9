"""Where in Juju something comes from, as metrics, logs and rules are labelled with it (`cosl.JujuTopology`)."""

import re

from nuages.charm.facts import Facts

PLACEHOLDER = re.compile(r"%%juju_topology%%,?")
"""Stands in an expression for the matchers of this application."""


def metadata(facts: Facts) -> dict[str, str]:
    """Return the topology as databags carry it."""
    return {
        "model": facts.model,
        "model_uuid": facts.model_uuid,
        "application": facts.app,
        "unit": facts.unit,
        "charm_name": facts.charm,
    }


def labels(facts: Facts) -> dict[str, str]:
    """Return the labels of this unit's logs."""
    return {
        "product": "Juju",
        "charm": facts.charm,
        "juju_model": facts.model,
        "juju_model_uuid": facts.model_uuid,
        "juju_application": facts.app,
        "juju_unit": facts.unit,
    }


def rule_labels(facts: Facts) -> dict[str, str]:
    """Return the labels of a rule: never the unit, because the rule is every unit's."""
    return {
        "juju_model": facts.model,
        "juju_model_uuid": facts.model_uuid,
        "juju_application": facts.app,
        "juju_charm": facts.charm,
    }


def matchers(facts: Facts) -> str:
    """Return what selects this application's series in an expression."""
    names = {"juju_model": facts.model, "juju_model_uuid": facts.model_uuid, "juju_application": facts.app}
    return ", ".join(f'{name}="{value}"' for name, value in names.items())


def identifier(facts: Facts) -> str:
    """Return what names of rule groups begin with: `MODEL_UUID8_APP`."""
    return f"{facts.model}_{facts.model_uuid[:8]}_{facts.app}"
