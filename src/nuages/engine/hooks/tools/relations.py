"""Tools about relations, the network and the goal of the model."""

from __future__ import annotations

import time
from typing import Any

from nuages.engine.hooks.arguments import Arguments, Flag
from nuages.engine.hooks.context import HookContext
from nuages.engine.hooks.errors import ToolError, UsageError
from nuages.engine.hooks.tools.tool import FORMAT, RELATION, SILENT, Tool, relation_id
from nuages.engine.hooks.tools.unit import key_values
from nuages.engine.state import Status, Unit

OWN_SETTINGS = ("-", "")


def relation_ids(context: HookContext, arguments: Arguments) -> list[str]:
    """Return the relations of an endpoint, by default of the hook's own."""
    endpoint = arguments.at(0)
    if not endpoint:
        if context.hook.relation is None:
            raise UsageError("no endpoint name specified")
        endpoint = context.endpoint_of(context.hook.relation).endpoint
    return sorted(f"{endpoint}:{number}" for number in context.relation_ids(endpoint))


def relation_list(context: HookContext, arguments: Arguments) -> Any:
    """Return the remote units, or with --app the remote application."""
    number = relation_id(context, arguments)
    return context.remote_application(number) if arguments.flag("app") else context.remote_units(number)


def relation_get(context: HookContext, arguments: Arguments) -> Any:
    """Return a databag or one key of it."""
    number = relation_id(context, arguments)
    key, entity = arguments.at(0), arguments.at(1) or context.hook.remote_unit
    if arguments.flag("app"):
        entity = (entity or context.remote_application(number)).partition("/")[0]
    if not entity:
        raise UsageError("no unit or application specified")
    bag = context.read_bag(number, entity)
    return dict(bag) if key in OWN_SETTINGS else bag.get(key)


def relation_set(context: HookContext, arguments: Arguments) -> Any:
    """Merge into the own databag when the hook succeeds."""
    number = relation_id(context, arguments)
    context.write_bag(number, key_values(arguments), application=arguments.flag("app"))
    return SILENT


def relation_model_get(context: HookContext, arguments: Arguments) -> dict[str, str]:
    """Return the remote application's model: always this one."""
    relation_id(context, arguments)
    return {"uuid": context.draft.uuid}


def network_get(context: HookContext, arguments: Arguments) -> Any:
    """Return the addresses of the unit's one network."""
    binding = arguments.at(0)
    if not binding:
        raise UsageError("no arguments specified")
    if arguments.text("relation"):
        relation_id(context, arguments)
    elif binding not in {*context.application.charm.endpoints, "juju-info"}:
        raise ToolError(f'no network config found for binding "{binding}"')
    address = context.unit.address
    if arguments.flag("primary-address"):
        return address
    network = {
        "bind-addresses": [
            {
                "mac-address": "",
                "interface-name": "eth0",
                "addresses": [{"hostname": "", "value": address, "cidr": ""}],
            }
        ],
        "egress-subnets": [f"{address}/32"],
        "ingress-addresses": [address],
    }
    chosen: dict[str, Any] = {}
    if arguments.flag("bind-address"):
        chosen["bind-address"] = address
    if arguments.flag("ingress-address"):
        chosen["ingress-address"] = address
    if arguments.flag("egress-subnets"):
        chosen["egress-subnets"] = f"{address}/32"
    if not chosen:
        return network
    return next(iter(chosen.values())) if len(chosen) == 1 else chosen


def goal_state(context: HookContext, arguments: Arguments) -> Any:
    """Return the units and relations that the model is to have."""
    model, application = context.draft, context.unit.application
    relations: dict[str, dict[str, Any]] = {}
    for relation in model.relations_of(application):
        side = relation.side(application)
        if side is None or relation.peer:
            continue
        other = relation.other(application).application
        joined = Status("joined" if relation.life == "alive" else "dying", "", context.application.since)
        entries = relations.setdefault(side.endpoint, {})
        entries[other] = _goal(joined)
        entries.update({unit.name: _unit_goal(unit) for unit in model.units_of(other)})
    return {"units": {unit.name: _unit_goal(unit) for unit in model.units_of(application)}, "relations": relations}


def _unit_goal(unit: Unit) -> dict[str, str]:
    return _goal(Status("dying", "", unit.status.since) if unit.life == "dying" else unit.status)


def _goal(status: Status) -> dict[str, str]:
    return {"status": status.status, "since": time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(status.since))}


APP = Flag(("app",), "bool")
NETWORK = tuple(
    Flag((name,), "bool") for name in ("bind-address", "ingress-address", "egress-subnets", "primary-address")
)
TOOLS = (
    Tool("relation-ids", relation_ids, FORMAT, 1),
    Tool("relation-list", relation_list, (*FORMAT, RELATION, APP)),
    Tool("relation-get", relation_get, (*FORMAT, RELATION, APP), 2),
    Tool("relation-set", relation_set, (RELATION, APP, Flag(("file",)), Flag(("format",))), None),
    Tool("relation-model-get", relation_model_get, (*FORMAT, RELATION)),
    Tool("network-get", network_get, (*FORMAT, RELATION, *NETWORK), 1),
    Tool("goal-state", goal_state, FORMAT),
)
