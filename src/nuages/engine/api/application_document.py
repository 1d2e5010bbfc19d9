"""What is told about one application: `show-application`, its actions, and what goes with it. Pure.

The shapes are those of Juju 3.6: the structs that its `show-application` prints, the JSON schema that it makes of an
action in actions.yaml, the names of units and storage that `remove-application` prints.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nuages.engine.api.status import BASES, endpoint_bindings
from nuages.engine.charm import Action
from nuages.engine.lifecycle import application as find_application
from nuages.engine.state import Model

NO_DESCRIPTION = "No description"


def show_application(model: Model, name: str) -> dict[str, Any]:
    """Return an application by its name: the keys of Juju's that have a true value here.

    Raises:
        NotFound: there is no such application.
    """
    found = find_application(model, name)
    document: dict[str, Any] = {"charm": found.charm.name}
    if found.charm.python in BASES:
        document["base"] = f"ubuntu@{BASES[found.charm.python]}"
    document |= {
        "principal": True,
        "exposed": False,
        "remote": False,
        "life": found.life,
        "endpoint-bindings": endpoint_bindings(found.charm),
    }
    return {name: document}


def actions(model: Model, name: str) -> dict[str, dict[str, Any]]:
    """Return the schema of each action of an application.

    Raises:
        NotFound: there is no such application.
    """
    known = find_application(model, name).charm.actions
    return {key: _schema(known[key]) for key in sorted(known)}


def removed(model: Model, name: str, volumes: Iterable[str]) -> dict[str, Any]:
    """Return what goes when an application is removed: its units, their storage, its relations.

    Args:
        model: as it is before.
        name: the application's.
        volumes: names of a built-in application's, which its metadata do not declare as storage.

    Raises:
        NotFound: there is no such application.
    """
    found = find_application(model, name)
    storage = sorted({*found.charm.storage, *volumes})
    units = [unit.name for unit in model.units_of(name)]
    return {
        "units": units,
        "storage": [f"{each}/{unit.rpartition('/')[2]}" for unit in units for each in storage],
        "relations": [relation.key for relation in model.relations_of(name) if not relation.peer],
    }


def _schema(action: Action) -> dict[str, Any]:
    """Return the JSON schema of an action; unknown parameters are allowed unless it says otherwise, as in Juju 3."""
    schema: dict[str, Any] = {} if action.additional else {"additionalProperties": False}
    schema["description"] = action.description or NO_DESCRIPTION
    schema["properties"] = {name: dict(action.params[name]) for name in sorted(action.params)}
    if action.required:
        schema["required"] = list(action.required)
    return {**schema, "title": action.name, "type": "object"}
