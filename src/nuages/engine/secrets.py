"""Secrets: revisions, labels, grants, who may read and who may manage. Pure functions on the model."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets as random
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nuages.engine.errors import EngineError
from nuages.engine.resolver.advance import next_rotation
from nuages.engine.state import Consumer, Model, Secret, SecretRevision, drop, put, unit_application

URI = re.compile(r"(?:secret:(?://[^/]+/)?)?([0-9a-v]{20})")
KEY = re.compile(r"[a-z](?:-?[a-z0-9]){2,}")
DENIED = "permission denied"
NOT_LEADER = "this unit is not the leader"


class SecretError(EngineError):
    """A secret that cannot be read or managed; the text is the hook tool's."""

    code = "secret"


@dataclass(frozen=True)
class Attributes:
    """What `secret-add` and `secret-set` take besides content; None leaves as it is."""

    label: str | None = None
    description: str | None = None
    rotate: str | None = None
    expire: float | None = None


def new_id() -> str:
    """Return a fresh identifier: 20 characters, like an xid (sorted by time)."""
    raw = int(time.time()).to_bytes(4, "big") + random.token_bytes(8)
    return base64.b32hexencode(raw).decode().rstrip("=").lower()


def bare(uri: str) -> str:
    """Return the identifier in `secret:<id>`, `secret://<model>/<id>` or `<id>`; "" when it is none of them."""
    match = URI.fullmatch(uri)
    return match[1] if match else ""


def create(
    model: Model,
    unit: str,
    *,
    owner: str,
    secret_id: str,
    content: Mapping[str, str],
    attributes: Attributes,
    now: float,
) -> Model:
    """Return the model with a new secret.

    Raises:
        SecretError: not the leader, a bad key, or the owner has one of this label.
    """
    if owner != unit and not model.is_leader(unit):
        raise SecretError(NOT_LEADER)
    if attributes.label:
        _check_label(model, owner, attributes.label, secret_id)
    rotate = attributes.rotate or "never"
    revision = _revision(content, attributes.expire, now)
    return model.with_secret(
        Secret(
            id=secret_id,
            owner=owner,
            label=attributes.label or "",
            description=attributes.description or "",
            rotate=rotate,
            rotate_at=next_rotation(rotate, now),
            revisions={1: revision},
            created=now,
            updated=now,
        )
    )


def update(
    model: Model,
    unit: str,
    secret_id: str,
    *,
    content: Mapping[str, str] | None,
    attributes: Attributes,
    now: float,
    amend: bool = False,
) -> Model:
    """Return the model with the secret changed; equal content makes no revision.

    With `amend` other content takes the place of the latest revision, which nobody has seen yet.

    Raises:
        SecretError: no such secret, or the unit does not manage it.
    """
    secret = managed(model, unit, secret_id)
    if attributes.label is not None and attributes.label != secret.label:
        _check_label(model, secret.owner, attributes.label, secret.id)
        secret = replace(secret, label=attributes.label)
    if attributes.description is not None:
        secret = replace(secret, description=attributes.description)
    if attributes.rotate is not None and attributes.rotate != secret.rotate:
        secret = replace(secret, rotate=attributes.rotate, rotate_at=next_rotation(attributes.rotate, now))
    if content is not None:
        revision = _revision(content, attributes.expire, now)
        if secret.revisions[secret.latest].checksum != revision.checksum:
            number = secret.latest if amend else secret.latest + 1
            secret = replace(secret, revisions=put(secret.revisions, number, revision), updated=now)
    if attributes.expire is not None:
        expiring = replace(secret.revisions[secret.latest], expire=attributes.expire)
        secret = replace(secret, revisions=put(secret.revisions, secret.latest, expiring))
    return model.with_secret(secret)


def remove(model: Model, unit: str, secret_id: str, revision: int | None) -> Model:
    """Return the model without the secret, or without one of its revisions.

    Raises:
        SecretError: no such secret or revision, or the unit does not manage it.
    """
    secret = managed(model, unit, secret_id)
    if revision is None or set(secret.revisions) == {revision}:
        return replace(model, secrets=drop(model.secrets, secret.id))
    if revision not in secret.revisions:
        raise SecretError(f'secret "{secret.id}" revision {revision} not found')
    return model.with_secret(replace(secret, revisions=drop(secret.revisions, revision)))


def grant(model: Model, unit: str, secret_id: str, relation_id: int, target: str | None) -> Model:
    """Return the model in which the relation's other application, or one unit of it, may read the secret.

    What the application may read its units may read: then a unit's grant changes nothing.

    Raises:
        SecretError: no such secret or relation, not managed, a unit of another application, or an application's
            grant after one of its units'.
    """
    secret = managed(model, unit, secret_id)
    relation = model.relations.get(relation_id)
    if relation is None:
        raise SecretError(f"relation {relation_id} not found")
    remote = relation.other(unit_application(unit)).application
    if target is not None and unit_application(target) != remote:
        raise SecretError(f'unit "{target}" is not of application "{remote}", to which relation {relation_id} leads')
    if secret.grants.get(remote) == relation_id:
        return model
    if target is None and any(
        entity != remote and unit_application(entity) == remote and scope == relation_id
        for entity, scope in secret.grants.items()
    ):
        raise SecretError("any unit level grants need to be revoked before granting access to their application")
    return model.with_secret(replace(secret, grants=put(secret.grants, target or remote, relation_id)))


def revoke(model: Model, unit: str, secret_id: str, targets: tuple[str, ...]) -> Model:
    """Return the model in which none of the targets may read the secret.

    Raises:
        SecretError: no such secret, or not managed.
    """
    secret = managed(model, unit, secret_id)
    grants = {entity: scope for entity, scope in secret.grants.items() if entity not in targets}
    return model.with_secret(_only_readers(replace(secret, grants=grants)))


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


def find(model: Model, unit: str, uri: str, label: str) -> Secret:
    """Return the secret that a `secret-get` means: by id, else by the reader's own label, else by the owner's.

    Raises:
        SecretError: there is none.
    """
    if uri:
        return _get(model, uri)
    for secret in model.secrets.values():
        consumer = secret.consumers.get(unit)
        if consumer is not None and consumer.label == label:
            return secret
    return find_own(model, unit, "", label)


def find_own(model: Model, unit: str, uri: str, label: str) -> Secret:
    """Return the secret of the unit or its application, by id or by the owner's label.

    Raises:
        SecretError: there is none.
    """
    if uri:
        return _get(model, uri)
    for secret in model.secrets.values():
        if secret.owner in (unit, unit_application(unit)) and secret.label == label:
            return secret
    raise SecretError(f'secret with label "{label}" not found')


def may_read(unit: str, secret: Secret) -> bool:
    """Return whether the unit owns the secret, shares its owner, or has a grant."""
    owner = unit_application(unit)
    return secret.owner in (unit, owner) or unit in secret.grants or owner in secret.grants


def revision_for(model: Model, unit: str, secret: Secret, *, refresh: bool = False, peek: bool = False) -> int:
    """Return the revision that a read sees: pinned at the first read, moved by refresh; never pinned for owners.

    Raises:
        SecretError: not granted, or the revision that the unit is pinned to was removed.
    """
    if not may_read(unit, secret):
        raise SecretError(DENIED)
    tracked = secret.consumers.get(unit, Consumer()).revision
    own = secret.owner in (unit, unit_application(unit))
    if own or refresh or peek or tracked == 0:
        return secret.latest
    if tracked not in secret.revisions:
        raise SecretError(f'secret "{secret.id}" revision {tracked} not found')
    return tracked


def track(model: Model, unit: str, secret_id: str, revision: int | None, label: str | None) -> Model:
    """Return the model in which the unit tracks the revision and knows the secret, and no other, by the label."""
    secret = model.secrets.get(secret_id)
    if secret is None:
        return model
    for other in list(model.secrets.values()) if label else ():
        consumer = other.consumers.get(unit)
        if consumer is not None and consumer.label == label and other.id != secret_id:
            model = model.with_secret(replace(other, consumers=put(other.consumers, unit, replace(consumer, label=""))))
    before = secret.consumers.get(unit, Consumer())
    after = Consumer(before.revision if revision is None else revision, before.label if label is None else label)
    return (
        model if after == before else model.with_secret(replace(secret, consumers=put(secret.consumers, unit, after)))
    )


def managed(model: Model, unit: str, uri: str) -> Secret:
    """Return the secret if the unit may change it.

    Raises:
        SecretError: there is none, or another's.
    """
    secret = _get(model, uri)
    if secret.owner == unit_application(unit):
        if not model.is_leader(unit):
            raise SecretError(NOT_LEADER)
    elif secret.owner != unit:
        raise SecretError(DENIED)
    return secret


def information(secret: Secret) -> dict[str, Any]:
    """Return what `secret-info-get` prints about the secret."""
    revision = secret.revisions.get(secret.latest)
    shown: dict[str, Any] = {
        "revision": secret.latest,
        "label": secret.label,
        "owner": "unit" if "/" in secret.owner else "application",
        "rotation": secret.rotate,
    }
    if revision is not None and revision.expire is not None:
        shown["expiry"] = _rfc3339(revision.expire)
    if secret.rotate_at is not None:
        shown["rotates"] = _rfc3339(secret.rotate_at)
    if secret.description:
        shown["description"] = secret.description
    shown["access"] = [
        {
            "target": f"unit-{entity.replace('/', '-')}" if "/" in entity else f"application-{entity}",
            "scope": f"relation-{scope}",
            "role": "view",
        }
        for entity, scope in sorted(secret.grants.items())
    ]
    return shown


def _get(model: Model, uri: str) -> Secret:
    number = bare(uri) or uri
    if number not in model.secrets:
        raise SecretError(f'secret "{number}" not found')
    return model.secrets[number]


def _only_readers(secret: Secret) -> Secret:
    consumers = {unit: consumer for unit, consumer in secret.consumers.items() if may_read(unit, secret)}
    return replace(secret, consumers=consumers)


def _check_label(model: Model, owner: str, label: str, secret_id: str) -> None:
    for other in model.secrets.values():
        if other.owner == owner and other.label == label and other.id != secret_id:
            raise SecretError(f'secret with label "{label}" already exists')


def _revision(content: Mapping[str, str], expire: float | None, now: float) -> SecretRevision:
    for key in content:
        if not KEY.fullmatch(key):
            raise SecretError(f'invalid key "{key}": lower case letters, digits and single dashes, three at least')
    if not content:
        raise SecretError("missing secret value")
    checksum = hashlib.sha256(json.dumps(dict(content), sort_keys=True).encode()).hexdigest()
    return SecretRevision(dict(content), checksum, now, expire)


def _rfc3339(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
