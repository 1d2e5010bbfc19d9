"""The other documents of the API, made of a model. Pure."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from nuages.engine.charm import Option
from nuages.engine.config import MODEL_OPTIONS
from nuages.engine.lifecycle import application as find_application
from nuages.engine.state import Change, Model


def observed(model: Model) -> dict[str, Any]:
    """Return what `up` plans against."""
    return {
        "applications": {
            name: {
                "charm": found.charm.digest,
                "charm_name": found.charm.name,
                "resources": {key: Path(path).name for key, path in found.resources.items()},
                "config": dict(found.config),
                "units": [unit.name for unit in model.units_of(name) if unit.life == "alive"],
                "options": {option.name: _option(option) for option in found.charm.options.values()},
            }
            for name, found in sorted(model.applications.items())
            if found.life == "alive"
        },
        "relations": [
            relation.key.split(" ")
            for relation in model.relations.values()
            if not relation.peer and relation.life == "alive"
        ],
        "stopped": bool(model.stopped),
        "config": dict(model.config),
    }


def application_config(model: Model, name: str) -> dict[str, Any]:
    """Return what `juju config APP --format json` prints.

    Raises:
        NotFound: there is no such application.
    """
    found = find_application(model, name)
    settings: dict[str, Any] = {}
    for option in found.charm.options.values():
        setting = _option(option)
        if option.name in found.config:
            setting |= {"value": found.config[option.name], "source": "user"}
        elif option.default is not None:
            setting |= {"value": option.default, "source": "default"}
        else:
            setting["source"] = "unset"
        settings[option.name] = setting
    trust = {"value": found.trust, "default": False, "source": "user" if found.trust else "default", "type": "bool"}
    trust["description"] = "Does this application have access to trusted credentials"
    return {
        "application": name,
        "application-config": {"trust": trust},
        "charm": found.charm.name,
        "settings": dict(sorted(settings.items())),
    }


def model_config(model: Model) -> dict[str, Any]:
    """Return what `juju model-config --format json` prints."""
    return {
        name: {
            "Value": model.config.get(name, option.default),
            "Source": "model" if name in model.config else "default",
        }
        for name, option in sorted(MODEL_OPTIONS.items())
    }


def change(found: Change) -> dict[str, Any]:
    """Return a change with its tasks."""
    return {
        "id": found.id,
        "kind": found.kind,
        "summary": found.summary,
        "status": found.status,
        "ready": found.ready is not None,
        "tasks": [
            {"id": task.id, "summary": task.summary, "status": task.status, "log": list(task.log)}
            for task in found.tasks
        ],
        "error": {"message": found.error, "fix": found.fix} if found.status == "Error" else None,
        "result": dict(found.result) if found.result is not None else None,
        "spawn-time": rfc3339(found.spawned),
        "ready-time": rfc3339(found.ready) if found.ready is not None else None,
    }


def rfc3339(seconds: float) -> str:
    """Return a time in RFC 3339, to the millisecond."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03d}Z"


def _option(option: Option) -> dict[str, Any]:
    document: dict[str, Any] = {"type": option.type, "description": option.description}
    if option.default is not None:
        document["default"] = option.default
    return document
