"""Relation hooks: departed, broken, application data, joined with its changed, later changes."""

from __future__ import annotations

from nuages.engine.resolver.view import View
from nuages.engine.state import Hook, Relation, RelationState, unit_application, unit_key

NEW = RelationState()


def pending_changed(view: View) -> Hook | None:
    """The changed hook that every joined hook is followed by."""
    for relation in view.model.relations_of(view.application.name):
        unit = _state(view, relation).changed_pending
        if unit:
            return _of_unit("relation-changed", relation, unit)
    return None


def created(view: View) -> Hook | None:
    """relation-created for every relation, peers included, as soon as the unit is installed."""
    if not view.local.installed or view.dying:
        return None
    for relation in view.model.relations_of(view.application.name):
        if relation.life == "alive" and _heard(view, relation) and not _state(view, relation).created:
            return Hook(
                "relation-created",
                relation=relation.id,
                remote_application=relation.other(view.application.name).application,
            )
    return None


def relations(view: View) -> Hook | None:
    """The next hook of the first relation that has one; a dying unit leaves all its relations."""
    if not view.local.installed or (not view.local.started and not view.dying):
        return None
    for relation in view.model.relations_of(view.application.name):
        state = _state(view, relation)
        if not _heard(view, relation) or not state.created or state.broken:
            continue
        hook = _leave(view, relation, state) or _departed(view, relation, state) or _news(view, relation, state)
        if hook:
            return hook
    return None


def present(view: View, relation: Relation) -> list[str]:
    """Return the remote units in scope, sorted: alive, entered, not this one."""
    return sorted(
        (
            name
            for name in relation.members
            if name != view.unit.name
            and (relation.peer or unit_application(name) != view.application.name)
            and (unit := view.model.units.get(name)) is not None
            and unit.life == "alive"
        ),
        key=unit_key,
    )


def _heard(view: View, relation: Relation) -> bool:
    """Whether the charm knows the endpoint: the implicit juju-info has no hooks."""
    side = relation.side(view.application.name)
    return side is not None and side.endpoint in view.charm.endpoints


def _state(view: View, relation: Relation) -> RelationState:
    return view.local.relations.get(relation.id, NEW)


def _leave(view: View, relation: Relation, state: RelationState) -> Hook | None:
    if not view.dying and relation.life == "alive":
        return None
    for unit in sorted(state.members, key=unit_key):
        return _of_unit("relation-departed", relation, unit, departing=_departing(view, unit))
    if relation.peer:
        return None
    return Hook(
        "relation-broken",
        relation=relation.id,
        remote_application=relation.other(view.application.name).application,
    )


def _departed(view: View, relation: Relation, state: RelationState) -> Hook | None:
    here = set(present(view, relation))
    for unit in sorted(state.members, key=unit_key):
        if unit not in here:
            return _of_unit("relation-departed", relation, unit, departing=_departing(view, unit))
    return None


def _news(view: View, relation: Relation, state: RelationState) -> Hook | None:
    if view.dying or relation.life != "alive":
        return None
    remote = relation.other(view.application.name).application
    if relation.bag(remote).version > state.applications.get(remote, 0):
        return Hook("relation-changed", relation=relation.id, remote_application=remote)
    for unit in present(view, relation):
        if unit not in state.members:
            return _of_unit("relation-joined", relation, unit)
        if relation.bag(unit).version > state.members[unit]:
            return _of_unit("relation-changed", relation, unit)
    return None


def _departing(view: View, remote_unit: str) -> str:
    return view.unit.name if view.dying or view.application.life == "dying" else remote_unit


def _of_unit(kind: str, relation: Relation, unit: str, *, departing: str = "") -> Hook:
    return Hook(
        kind,
        relation=relation.id,
        remote_unit=unit,
        remote_application=unit_application(unit),
        departing_unit=departing,
    )
