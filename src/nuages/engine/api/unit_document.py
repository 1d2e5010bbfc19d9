"""`juju show-unit --format json`, made of a model. Pure."""

from __future__ import annotations

from typing import Any

from nuages.engine.lifecycle import unit as find_unit
from nuages.engine.state import Model, Relation, Unit, unit_key


def show_unit(model: Model, name: str) -> dict[str, Any]:
    """Return a unit with the databags of its relations, by its name.

    Raises:
        NotFound: there is no such unit.
    """
    unit = find_unit(model, name)
    application = model.applications[unit.application]
    charm = application.charm
    document: dict[str, Any] = {
        "workload-version": application.version,
        "opened-ports": list(unit.ports),
        "charm": charm.name if charm.built_in else f"local:{charm.name}-{application.revision}",
        "leader": model.is_leader(unit.name),
        "life": "alive" if unit.life == "alive" else "dying",
        "relation-info": [_relation(unit, relation) for relation in model.relations_of(unit.application)],
        "provider-id": unit.name.replace("/", "-"),
        "address": unit.address if unit.pod else "",
    }
    always = ("opened-ports", "leader")
    return {unit.name: {key: value for key, value in document.items() if value not in ("", []) or key in always}}


def _relation(unit: Unit, relation: Relation) -> dict[str, Any]:
    own, other = relation.side(unit.application), relation.other(unit.application)
    assert own is not None
    document: dict[str, Any] = {
        "relation-id": relation.id,
        "endpoint": own.endpoint,
        "related-endpoint": other.endpoint,
        # of the other side, as with Juju; a peer relation has but one
        "application-data": dict(relation.bag(other.application).data),
    }
    for name in sorted((entity for entity in relation.bags if "/" in entity), key=unit_key):
        shown = {"in-scope": name in relation.members, "data": dict(relation.bag(name).data)}
        if name == unit.name:
            document["local-unit"] = shown
        elif relation.peer or name.partition("/")[0] == other.application:
            document.setdefault("related-units", {})[name] = shown
    return document
