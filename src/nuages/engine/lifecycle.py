"""How applications, units and relations come and go: pure functions from one model to the next.

`settle` follows every mutation and every commit: it gives units their scopes, elects leaders, and takes away what is
over. It is idempotent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nuages.engine import grants, user_secrets
from nuages.engine.charm import Charm
from nuages.engine.endpoints import Pair
from nuages.engine.errors import NotFound
from nuages.engine.resolver.advance import interval, leave
from nuages.engine.state import (
    Application,
    Databag,
    Local,
    Model,
    Relation,
    RelationState,
    Side,
    Status,
    Unit,
    drop,
    put,
)


def deploy(
    model: Model,
    name: str,
    charm: Charm,
    *,
    resources: Mapping[str, str],
    config: Mapping[str, Any],
    units: int,
    trust: bool,
    now: float,
) -> Model:
    """Return the model with the application, its units and its peer relations."""
    application = Application(
        name=name, charm=charm, units=units, config=config, resources=resources, trust=trust, since=now
    )
    return settle(_peers(model.with_application(application), application), now)


def refresh(model: Model, name: str, charm: Charm, resources: Mapping[str, str], now: float) -> Model:
    """Return the model in which the application has this charm and resources: the next revision."""
    application = model.applications[name]
    config = {key: value for key, value in application.config.items() if key in charm.options}
    application = replace(
        application, charm=charm, resources=resources, revision=application.revision + 1, config=config
    )
    return settle(_peers(model.with_application(application), application), now)


def scale(model: Model, name: str, units: int, now: float, *, force: bool = False) -> Model:
    """Return the model in which the application wants this many units; with `force` hooks cannot keep the others."""
    model = settle(model.with_application(replace(model.applications[name], units=units)), now)
    return _forced(model, name, now) if force else model


def remove_application(model: Model, name: str, now: float, *, force: bool = False) -> Model:
    """Return the model in which the application is going away, its relations first; `force` as with `scale`."""
    application = replace(model.applications[name], life="dying", units=0)
    model = model.with_application(application)
    for relation in list(model.relations_of(name)):
        model = remove_relation(model, relation.id, now)
    model = settle(model, now)
    return _forced(model, name, now) if force else model


def integrate(model: Model, pair: Pair, now: float) -> tuple[Model, int]:
    """Return the model with the relation, and its id."""
    model, number = model.count("relation")
    return settle(model.with_relation(Relation(number, pair)), now), number


def remove_relation(model: Model, relation_id: int, now: float) -> Model:
    """Return the model in which the relation is going away."""
    return settle(model.with_relation(replace(model.relations[relation_id], life="dying")), now)


def configure(model: Model, name: str, config: Mapping[str, Any]) -> Model:
    """Return the model in which the application has this configuration; the same one changes nothing."""
    application = model.applications[name]
    if dict(application.config) == dict(config):
        return model
    version = application.config_version + 1
    return model.with_application(replace(application, config=config, config_version=version))


def configure_model(model: Model, config: Mapping[str, Any], now: float) -> Model:
    """Return the model with this configuration; another interval of update-status counts from now on, as in Juju."""
    after = replace(model, config=config)
    due = now + interval(after)
    for unit in after.units.values() if interval(after) != interval(model) else ():
        if unit.local.started:
            after = after.with_unit(replace(unit, local=replace(unit.local, update_status_at=due)))
    return after


def trust(model: Model, name: str, trusted: bool) -> Model:
    """Return the model in which the application is trusted or not; that is configuration to its charm."""
    found = model.applications[name]
    if found.trust == trusted:
        return model
    return model.with_application(replace(found, trust=trusted, config_version=found.config_version + 1))


def application(model: Model, name: str) -> Application:
    """Return the application.

    Raises:
        NotFound: there is none of this name.
    """
    found = model.applications.get(name)
    if found is None:
        known = ", ".join(sorted(model.applications)) or "none"
        raise NotFound(f'application "{name}" not found', fix=f"applications: {known}")
    return found


def unit(model: Model, name: str) -> Unit:
    """Return the unit; `notes/leader` is the leading one.

    Raises:
        NotFound: there is none of this name.
    """
    owner, _, number = name.partition("/")
    if number == "leader":
        name = application(model, owner).leader
    found = model.units.get(name)
    if found is None:
        known = ", ".join(sorted(model.units)) or "none"
        raise NotFound(f'unit "{name}" not found', fix=f"units: {known}")
    return found


def churn(model: Model, name: str, now: float) -> Model:
    """Return the model in which the unit has lost its pod: StoredState gone, upgrade-charm next, ports as they were."""
    found = model.units[name]
    local = replace(found.local, upgrade=found.local.installed, queued="", ready={}, notices={}, stopped=False)
    pending = found.pending
    if pending is not None and found.local.installed and pending.hook.kind != "remove":
        pending = None
    agent = Status("allocating", "", now)
    return model.with_unit(replace(found, pod=0, replace=False, local=local, pending=pending, agent=agent))


def settle(model: Model, now: float) -> Model:
    """Return the model after everything that follows by itself."""
    for name in sorted(model.applications):
        model = _reconcile_units(model, model.applications[name], now)
    for name in sorted(model.units):
        model = _synchronise_scopes(model, model.units[name])
    for name in sorted(model.applications):
        model = _elect(model, name)
    for relation in list(model.relations.values()):
        if relation.life == "dying" and not relation.members:
            model = _forget_relation(model, relation)
    for found in list(model.applications.values()):
        related = any(not relation.peer for relation in model.relations_of(found.name))
        if found.life == "dying" and not model.units_of(found.name) and not related:
            model = _forget_application(model, found)
    return user_secrets.pruned(model)


def forget_unit(model: Model, name: str, now: float) -> Model:
    """Return the model without the unit, which has run its last hook and has no pod."""
    for relation in model.relations.values():
        if name in relation.members:
            model = leave(model, name, relation.id)
    operations = {
        key: replace(value, status="failed", message="the unit was removed")
        if value.unit == name and value.status in ("pending", "running")
        else value
        for key, value in model.operations.items()
    }
    model = grants.forget_unit(model, name)
    return settle(replace(model, units=drop(model.units, name), operations=operations), now)


def _forced(model: Model, name: str, now: float) -> Model:
    for found in model.units_of(name):
        if found.life == "dying":
            pending = found.pending
            if pending is not None and found.failed:
                pending = replace(pending, retry_at=now, skip=True)
            model = model.with_unit(replace(found, forced=True, pending=pending))
    return model


def _peers(model: Model, owner: Application) -> Model:
    existing = {relation.sides[0].endpoint for relation in model.relations_of(owner.name) if relation.peer}
    for endpoint in owner.charm.endpoints.values():
        if endpoint.role == "peer" and endpoint.name not in existing:
            model, number = model.count("relation")
            side = Side(owner.name, endpoint.name, "peer", endpoint.interface)
            model = model.with_relation(Relation(number, (side,)))
    return model


def _reconcile_units(model: Model, owner: Application, now: float) -> Model:
    """Ordinals 0 … N-1, as in a StatefulSet: the highest go first, a free number is taken again."""
    existing = {found.ordinal: found for found in model.units_of(owner.name)}
    for ordinal in range(owner.units):
        if ordinal not in existing:
            waiting = Status("waiting", "installing agent", now)
            fresh = Unit(f"{owner.name}/{ordinal}", status=waiting, agent=Status("allocating", "", now))
            model = model.with_unit(fresh)
    for ordinal, found in existing.items():
        if ordinal >= owner.units and found.life == "alive":
            model = model.with_unit(replace(found, life="dying"))
    return model


def _synchronise_scopes(model: Model, member: Unit) -> Model:
    """An installed, living unit enters every living relation; what it never heard of it leaves without a hook."""
    charm = model.applications[member.application].charm
    for relation in list(model.relations_of(member.application)):
        side = relation.side(member.application)
        state = member.local.relations.get(relation.id, RelationState())
        alive = relation.life == "alive" and member.life == "alive"
        if alive and member.local.installed and member.name not in relation.members and member.address:
            # whatever a unit of this name left behind is gone
            bags = put(relation.bags, member.name, Databag(version=relation.bag(member.name).version))
            entered = replace(relation, members=(*relation.members, member.name), bags=bags)
            model = model.with_relation(_with_addresses(entered, member))
        elif not alive and member.name in relation.members:
            heard = side is not None and side.endpoint in charm.endpoints
            if not heard or not state.created or state.broken:
                model = leave(model, member.name, relation.id)
    return model


def _with_addresses(relation: Relation, member: Unit) -> Relation:
    addresses = {
        "egress-subnets": f"{member.address}/32",
        "ingress-address": member.address,
        "private-address": member.address,
    }
    return write_bag(relation, member.name, addresses)


def write_bag(relation: Relation, entity: str, data: Mapping[str, str]) -> Relation:
    """Return the relation with `data` merged into the entity's databag; "" deletes; no news, no new version."""
    bag = relation.bag(entity)
    merged = {key: value for key, value in {**bag.data, **data}.items() if value != ""}
    if merged == dict(bag.data):
        return relation
    return replace(relation, bags=put(relation.bags, entity, Databag(merged, bag.version + 1)))


def refresh_addresses(model: Model, name: str) -> Model:
    """Return the model in which the unit's databags name its present address."""
    member = model.units[name]
    for relation in list(model.relations_of(member.application)):
        if name in relation.members and relation.bag(name).data.get("ingress-address") != member.address:
            model = model.with_relation(_with_addresses(relation, member))
    return model


def _elect(model: Model, name: str) -> Model:
    """The lowest living unit leads, and goes on leading as long as it lives."""
    owner = model.applications[name]
    units = model.units_of(name)
    present = model.units.get(owner.leader)
    if present is not None and (present.life == "alive" or all(other.life == "dying" for other in units)):
        return model
    leader = next((found for found in units if found.life == "alive"), units[0] if units else None)
    model = model.with_application(replace(owner, leader=leader.name if leader else ""))
    if leader is not None and leader.local.leader_elected:
        return model.with_unit(replace(leader, local=replace(leader.local, leader_elected=False)))
    return model


def _forget_relation(model: Model, relation: Relation) -> Model:
    """Granted secrets end with the relation; units forget what they were told."""
    model = grants.end_relation(replace(model, relations=drop(model.relations, relation.id)), relation.id)
    for member in list(model.units.values()):
        if relation.id in member.local.relations:
            local: Local = replace(member.local, relations=drop(member.local.relations, relation.id))
            model = model.with_unit(replace(member, local=local))
    return model


def _forget_application(model: Model, gone: Application) -> Model:
    for relation in list(model.relations_of(gone.name)):
        model = _forget_relation(model, relation)
    prefix = f"{gone.name}/"
    model = grants.forget_application(model, gone.name)
    return replace(
        model,
        applications=drop(model.applications, gone.name),
        published={key: port for key, port in model.published.items() if not key.startswith(prefix)},
    )
