"""What a unit's memory looks like after a hook: succeeded, or failed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nuages.engine.config import MODEL_OPTIONS, seconds
from nuages.engine.resolver.relations import NEW
from nuages.engine.resolver.view import (
    OPERATION_KINDS,
    RELATION_KINDS,
    SECRET_KINDS,
    WORKLOAD_KINDS,
)
from nuages.engine.rotation import AGAIN, next_rotation
from nuages.engine.state import Hook, Local, Model, Pending, Relation, RelationState, Status, Unit, drop, put, unit_key

FIRST_RETRY = 5.0
LONGEST_RETRY = 300.0


def started(model: Model, unit_name: str, hook: Hook, now: float) -> Model:
    """Return the model in which the hook runs; a repeated hook keeps its count of failures."""
    unit = model.units[unit_name]
    if hook.kind in OPERATION_KINDS:
        operation = replace(model.operations[hook.operation], status="running")
        return model.with_operation(operation)
    again = unit.pending if unit.pending and unit.pending.hook == hook else None
    agent = Status("executing", f"running {hook.kind} hook", now)
    status = unit.status
    if hook.kind == "install":
        status = Status("maintenance", "installing charm software", now)
    return model.with_unit(
        replace(unit, pending=replace(again or Pending(hook), running=True), agent=agent, status=status)
    )


def committed(model: Model, before: Model, unit_name: str, hook: Hook, now: float) -> Model:
    """Return the model after the hook ended well.

    Args:
        model: the model with the hook's writes in it.
        before: the model as the hook saw it: versions that are newer in `model` are told by a later hook.
        unit_name: whose hook.
        hook: what ran.
        now: seconds since the epoch.
    """
    unit = model.units[unit_name]
    if hook.kind in OPERATION_KINDS:
        return model
    local = _advance(before, unit, hook, now, interval(model))
    status = unit.status
    if hook.kind == "start" and status == Status("maintenance", "installing charm software", status.since):
        status = Status("unknown", "", now)
    elif hook.kind == "remove":
        status = Status("terminated", "", now)
    unit = replace(unit, local=local, pending=None, agent=Status("idle", "", now), status=status)
    model = model.with_unit(unit)
    if hook.kind == "relation-broken" and hook.relation is not None and hook.relation in model.relations:
        model = leave(model, unit_name, hook.relation)
    if hook.kind == "secret-rotate" and hook.secret in model.secrets:
        secret, seen = model.secrets[hook.secret], before.secrets.get(hook.secret)
        rotated = seen is None or secret.latest > seen.latest
        again = next_rotation(secret.rotate, now) if rotated or secret.rotate_at is None else now + AGAIN
        model = model.with_secret(replace(secret, rotate_at=again))
    return model


def failed(model: Model, unit_name: str, hook: Hook, now: float, *, jitter: float = 0.0) -> Model:
    """Return the model after the hook failed: nothing written, the same hook again later.

    A workload hook is forgotten instead; what it follows from is still there and raises it again. The hook of a unit
    that goes away by force, or that was resolved meanwhile, is to be passed over.
    """
    unit = model.units[unit_name]
    skip = unit.forced or (unit.pending is not None and unit.pending.skip)
    if hook.kind in WORKLOAD_KINDS:
        return model.with_unit(replace(unit, pending=None, agent=Status("idle", "", now)))
    failures = (unit.pending.failures if unit.pending else 0) + 1
    delay = next_backoff(failures) * (1 + jitter)
    agent = Status("error", f'hook failed: "{hook.kind}"', now)
    return model.with_unit(replace(unit, pending=Pending(hook, False, failures, now + delay, skip), agent=agent))


def next_backoff(failures: int) -> float:
    """Return the delay in seconds before a hook that failed so often runs again.

    5 s, doubling, capped at 300 s (Juju's agent does the same, plus jitter).
    """
    return min(FIRST_RETRY * 2 ** min(failures - 1, 30), LONGEST_RETRY)


def leave(model: Model, unit_name: str, relation_id: int) -> Model:
    """Return the model in which the unit is out of the relation's scope; its databag stays readable."""
    relation = model.relations[relation_id]
    return model.with_relation(
        replace(relation, members=tuple(member for member in relation.members if member != unit_name))
    )


def interval(model: Model) -> float:
    """Return the seconds between two update-status hooks of a unit."""
    option = MODEL_OPTIONS["update-status-hook-interval"]
    return seconds(str(model.config.get(option.name, option.default)))


def _advance(before: Model, unit: Unit, hook: Hook, now: float, interval: float) -> Local:
    local = unit.local
    if hook.kind in RELATION_KINDS and hook.relation is not None:
        state = local.relations.get(hook.relation, NEW)
        told = _told(before.relations.get(hook.relation), hook, state)
        local = replace(local, relations=put(local.relations, hook.relation, told))
    elif hook.kind == "pebble-ready":
        local = replace(local, ready=put(local.ready, hook.container, hook.boot_id))
    elif hook.kind in WORKLOAD_KINDS:
        local = replace(local, notices=put(local.notices, hook.container, hook.notice_at))
    elif hook.kind in SECRET_KINDS:
        local = replace(local, secrets=_secrets(local, hook, now))
    elif hook.kind == "storage-attached":
        local = replace(local, storage=(*local.storage, hook.storage))
    elif hook.kind == "storage-detaching":
        local = replace(local, storage=tuple(name for name in local.storage if name != hook.storage))
    elif hook.kind == "config-changed":
        local = replace(
            local,
            config_version=before.applications[unit.application].config_version,
            config_address=before.units[unit.name].address,
            queued="start" if not local.started or local.start_due else "",
        )
    else:
        local = replace(local, **_flags(hook.kind, now + interval))
    return local


def _flags(kind: str, next_update: float) -> dict[str, Any]:
    flags: dict[str, dict[str, Any]] = {
        "install": {"installed": True},
        "upgrade-charm": {"upgrade": False, "start_due": True, "queued": "config-changed"},
        "start": {"started": True, "start_due": False, "queued": "", "update_status_at": next_update},
        "leader-elected": {"leader_elected": True},
        "update-status": {"update_status_at": next_update},
        "stop": {"stopped": True},
        "remove": {"removed": True},
    }
    return flags[kind]


def _told(relation: Relation | None, hook: Hook, state: RelationState) -> RelationState:
    unit, application = hook.remote_unit, hook.remote_application
    if hook.kind == "relation-created":
        state = replace(state, created=True)
    elif hook.kind == "relation-broken":
        state = replace(state, broken=True)
    elif hook.kind == "relation-departed":
        pending = "" if state.changed_pending == unit else state.changed_pending
        state = replace(state, members=drop(state.members, unit), changed_pending=pending)
    elif relation is not None and not unit:
        state = replace(state, applications=put(state.applications, application, relation.bag(application).version))
    elif relation is not None:
        joined = hook.kind == "relation-joined"
        pending = unit if joined else "" if state.changed_pending == unit else state.changed_pending
        members = put(state.members, unit, relation.bag(unit).version)
        state = replace(state, members=members, changed_pending=pending)
    return state


def _secrets(local: Local, hook: Hook, now: float) -> dict[str, int]:
    if hook.kind == "secret-changed":
        return put(local.secrets, hook.secret, hook.secret_revision)
    if hook.kind == "secret-remove":
        return put(local.secrets, f"remove/{hook.secret}/{hook.secret_revision}", hook.secret_revision)
    if hook.kind == "secret-expired":
        return put(local.secrets, f"expired/{hook.secret}/{hook.secret_revision}", int(now))
    return dict(local.secrets)


def joined_members(model: Model, unit_name: str, relation_id: int, hook: Hook | None) -> list[str]:
    """Return the remote units that a hook sees in `relation-list`.

    Those whose joined hook has run and departed hook has not, the one that joins now, without the one that departs now.
    """
    members = set(model.units[unit_name].local.relations.get(relation_id, NEW).members)
    if hook is not None and hook.relation == relation_id:
        if hook.kind == "relation-joined":
            members.add(hook.remote_unit)
        elif hook.kind == "relation-departed":
            members.discard(hook.remote_unit)
    return sorted(members, key=unit_key)
