"""`juju status --format json`, made of a model. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nuages.engine.charm import Charm
from nuages.engine.hooks.environment import JUJU_VERSION
from nuages.engine.state import DOWN, PAUSED, Application, Model, Status, Unit
from nuages.engine.statuses import derived

BASES = {"3.8": "20.04", "3.10": "22.04", "3.12": "24.04", "3.14": "26.04"}


def status(
    model: Model,
    notes: Mapping[str, list[str]],
    warning: str,
    now: float,
    troubles: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the document, with our own part under "nuages".

    `troubles` says by unit what the machine knows and its charm does not yet: such a unit is not shown as active.
    """
    web = _web(model)
    return {
        "model": {
            "name": model.name,
            "type": "caas",
            "controller": "nuages",
            "cloud": "localhost",
            "version": JUJU_VERSION,
            "model-status": {"current": "available", "since": since(model.created)},
            "sla": "unsupported",
        },
        "machines": {},
        "applications": {
            name: _application(model, model.applications[name], troubles) for name in sorted(model.applications)
        },
        "storage": {},
        "controller": {"timestamp": time.strftime("%H:%M:%SZ", time.gmtime(now))},
        "nuages": {
            "uuid": model.uuid,
            "stopped": stopped(model),
            "url": f"http://localhost:{web}/" if web else None,
            "published": dict(sorted(model.published.items())),
            "notes": {name: found for name, found in notes.items() if found},
            "warning": warning or None,
        },
    }


def _web(model: Model) -> int | None:
    """Return the port on this machine where pages are: that of the ingress which an application is related to."""
    ports = {key.partition("/")[0]: port for key, port in sorted(model.published.items()) if key.endswith("/web")}
    used = [relation.side(name) for name in ports for relation in model.relations_of(name) if relation.life == "alive"]
    serving = next((side.application for side in used if side and side.interface == "ingress"), None)
    return ports[serving] if serving else next(iter(ports.values()), None)


def stopped(model: Model) -> str | None:
    """Return why the model does not run, None when it does."""
    if not model.stopped:
        return None
    if model.stopped == PAUSED:
        return f"stopped {PAUSED}"  # it starts again by itself
    return "stopped: nuages up" if model.stopped == DOWN else f"stopped {model.stopped}: nuages up"


def since(seconds: float) -> str:
    """Return a time as Juju's status prints it."""
    return time.strftime("%d %b %Y %H:%M:%SZ", time.gmtime(seconds))


def workload_status(model: Model, unit: Unit, troubles: Mapping[str, str]) -> Status:
    """Return the unit's status as people see it: a failed hook is an error, a dead workload is not active."""
    if model.stopped:
        return Status("unknown", stopped(model) or "", unit.agent.since)
    if unit.agent.status == "error":
        return Status("error", unit.agent.message, unit.agent.since)
    if unit.status.status == "active" and unit.name in troubles:
        return Status("waiting", troubles[unit.name], unit.status.since)
    return unit.status


def application_status(model: Model, application: Application, troubles: Mapping[str, str]) -> Status:
    """Return what the leader set, else the worst of the units."""
    units = [workload_status(model, unit, troubles) for unit in model.units_of(application.name)]
    errors = [found for found in units if found.status == "error"]
    if application.status is not None and not errors and not model.stopped:
        if application.status.status == "active":
            return next((found for found in units if found.message in troubles.values()), application.status)
        return application.status
    if not units:
        return Status("unknown", "", application.since)
    return derived(units)


def _application(model: Model, application: Application, troubles: Mapping[str, str]) -> dict[str, Any]:
    charm = application.charm
    units = model.units_of(application.name)
    leader = model.units.get(application.leader)
    document: dict[str, Any] = {
        "charm": charm.name if charm.built_in else f"local:{charm.name}-{application.revision}",
        "charm-origin": "built-in" if charm.built_in else "local",
        "charm-name": charm.name,
        "charm-rev": application.revision,
        "scale": application.units,
        "provider-id": f"{model.name}/{application.name}",
        "address": leader.address if leader else "",
        "exposed": False,
        "life": "dying" if application.life == "dying" else "",
        "application-status": _status(application_status(model, application, troubles)),
        "relations": _relations(model, application),
        "units": {unit.name: _unit(model, unit, troubles) for unit in units},
        "version": application.version,
        "endpoint-bindings": endpoint_bindings(charm),
    }
    if charm.python in BASES:
        document["base"] = {"name": "ubuntu", "channel": BASES[charm.python]}
    return {key: value for key, value in document.items() if value not in ("", {}) or key in ("units", "relations")}


def endpoint_bindings(charm: Charm) -> dict[str, str]:
    """Return the space of each endpoint, and under "" the default: the one that every Juju model has."""
    return dict.fromkeys(("", *sorted(charm.endpoints)), "alpha")


def _unit(model: Model, unit: Unit, troubles: Mapping[str, str]) -> dict[str, Any]:
    agent = unit.agent
    if agent.status == "error":
        agent = Status("idle", "", agent.since)
    document: dict[str, Any] = {
        "workload-status": _status(workload_status(model, unit, troubles)),
        "juju-status": {**_status(agent), "version": JUJU_VERSION},
        "address": unit.address if unit.pod else "",
        "provider-id": unit.name.replace("/", "-"),
    }
    if model.is_leader(unit.name):
        document["leader"] = True
    if unit.ports:
        document["open-ports"] = list(unit.ports)
    return document


def _relations(model: Model, application: Application) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for relation in model.relations_of(application.name):
        side = relation.side(application.name)
        if side is not None:
            other = relation.other(application.name).application
            entry = {"related-application": other, "interface": side.interface, "scope": "global"}
            found.setdefault(side.endpoint, []).append(entry)
    return found


def _status(found: Status) -> dict[str, str]:
    document = {"current": found.status, "message": found.message, "since": since(found.since)}
    return {key: value for key, value in document.items() if value}
