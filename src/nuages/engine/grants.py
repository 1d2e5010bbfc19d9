"""Who may read a secret: grants of charms, each in the scope of a relation. Pure functions on the model.

A secret has one grant for each reader, as in Juju, where the permission's key is the secret and the reader.
"""

from __future__ import annotations

from dataclasses import replace

from nuages.engine.secrets import SecretError, managed, may_read
from nuages.engine.state import Model, Secret, drop, put, unit_application

OTHER_SCOPE = "cannot change secret permission scope"


def grant(model: Model, unit: str, secret_id: str, relation_id: int, target: str | None) -> Model:
    """Return the model in which the relation's other application, or one unit of it, may read the secret.

    What the application may read its units may read: then a unit's grant changes nothing. A reader that has a grant by
    another relation keeps that one; `check_scope` says so when the hook ends, which is when Juju finds out.

    Raises:
        SecretError: no such secret or relation, not managed, a unit of another application, or an application's
            grant after one of its units'.
    """
    secret = managed(model, unit, secret_id)
    reader = _reader(model, unit, relation_id, target)
    remote = unit_application(reader)
    if secret.grants.get(remote) == relation_id or reader in secret.grants:
        return model
    if target is None and any(
        entity != remote and unit_application(entity) == remote and scope == relation_id
        for entity, scope in secret.grants.items()
    ):
        raise SecretError("any unit level grants need to be revoked before granting access to their application")
    return model.with_secret(replace(secret, grants=put(secret.grants, reader, relation_id)))


def check_scope(model: Model, unit: str, secret_id: str, relation_id: int, target: str | None) -> None:
    """Refuse a grant to a reader that has one by another relation.

    Raises:
        SecretError: in Juju's words.
    """
    secret = managed(model, unit, secret_id)
    reader = _reader(model, unit, relation_id, target)
    if secret.grants.get(reader, relation_id) != relation_id:
        raise SecretError(f'cannot change access to "secret:{secret.id}" for "{tag(reader)}": {OTHER_SCOPE}')


def revoke(model: Model, unit: str, secret_id: str, targets: tuple[str, ...]) -> Model:
    """Return the model in which none of the targets may read the secret; what they tracked is remembered.

    Raises:
        SecretError: no such secret, or not managed.
    """
    secret = managed(model, unit, secret_id)
    grants = {entity: scope for entity, scope in secret.grants.items() if entity not in targets}
    return model.with_secret(replace(secret, grants=grants))


def end_relation(model: Model, relation_id: int) -> Model:
    """Return the model without the grants that the relation carried, and without what their readers tracked."""
    for secret in list(model.secrets.values()):
        grants = {entity: scope for entity, scope in secret.grants.items() if scope != relation_id}
        if grants != dict(secret.grants):
            model = model.with_secret(_only_readers(replace(secret, grants=grants)))
    return model


def forget_unit(model: Model, unit: str) -> Model:
    """Return the model without the unit's own secrets, its grants, and what it tracked: its name may come again."""
    for secret in list(model.secrets.values()):
        if secret.owner == unit:
            model = replace(model, secrets=drop(model.secrets, secret.id))
        elif unit in secret.grants or unit in secret.consumers:
            model = model.with_secret(
                replace(secret, grants=drop(secret.grants, unit), consumers=drop(secret.consumers, unit))
            )
    return model


def forget_application(model: Model, name: str) -> Model:
    """Return the model without the application's secrets and its grants, those of users among them."""
    for secret in list(model.secrets.values()):
        if secret.owner == name:
            model = replace(model, secrets=drop(model.secrets, secret.id))
        elif name in secret.grants:
            model = model.with_secret(_only_readers(replace(secret, grants=drop(secret.grants, name))))
    return model


def tag(entity: str) -> str:
    """Return `application-notes` or `unit-notes-0`."""
    return f"unit-{entity.replace('/', '-')}" if "/" in entity else f"application-{entity}"


def _reader(model: Model, unit: str, relation_id: int, target: str | None) -> str:
    relation = model.relations.get(relation_id)
    if relation is None:
        raise SecretError(f"relation {relation_id} not found")
    remote = relation.other(unit_application(unit)).application
    if target is not None and unit_application(target) != remote:
        raise SecretError(f'unit "{target}" is not of application "{remote}", to which relation {relation_id} leads')
    return target or remote


def _only_readers(secret: Secret) -> Secret:
    consumers = {unit: consumer for unit, consumer in secret.consumers.items() if may_read(unit, secret)}
    return replace(secret, consumers=consumers)
