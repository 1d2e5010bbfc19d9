"""Secrets: revisions, labels, who may read and who may manage. Pure functions on the model.

The rules are those of Juju 3.6's state and secrets facades. Grants are in `grants`, a user's own in `user_secrets`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets as random
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from nuages.engine.errors import EngineError
from nuages.engine.rotation import next_rotation
from nuages.engine.state import Bag, Consumer, Model, Secret, SecretRevision, drop, put, unit_application

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
    return model.with_secret(fresh(secret_id, owner, content, attributes, now))


def fresh(secret_id: str, owner: str, content: Mapping[str, str], attributes: Attributes, now: float) -> Secret:
    """Return a secret with its first revision.

    Raises:
        SecretError: a bad key, or no content.
    """
    rotate = attributes.rotate or "never"
    first = _revision(content, attributes.expire, now)
    return Secret(
        id=secret_id,
        owner=owner,
        label=attributes.label or "",
        description=attributes.description or "",
        rotate=rotate,
        rotate_at=next_rotation(rotate, now),
        revisions={1: first},
        created=now,
        updated=now,
        newest=1,
        checksum=first.checksum,
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
    if attributes.rotate is not None and attributes.rotate != secret.rotate:
        secret = replace(secret, rotate=attributes.rotate, rotate_at=next_rotation(attributes.rotate, now))
    return model.with_secret(revised(secret, content, attributes, now, amend=amend))


def revised(
    secret: Secret, content: Mapping[str, str] | None, attributes: Attributes, now: float, *, amend: bool = False
) -> Secret:
    """Return the secret with another description, and with the next revision when the content is another.

    Raises:
        SecretError: a bad key, or no content.
    """
    if attributes.description is not None:
        secret = replace(secret, description=attributes.description)
    if content is not None:
        revision = _revision(content, attributes.expire, now)
        if (secret.checksum or secret.revisions[secret.latest].checksum) != revision.checksum:
            number = secret.latest if amend else secret.latest + 1
            secret = replace(
                secret,
                revisions=put(secret.revisions, number, revision),
                newest=number,
                checksum=revision.checksum,
                updated=now,
            )
    if attributes.expire is not None and secret.latest in secret.revisions:
        expiring = replace(secret.revisions[secret.latest], expire=attributes.expire)
        secret = replace(secret, revisions=put(secret.revisions, secret.latest, expiring))
    return secret


def remove(model: Model, unit: str, secret_id: str, revision: int | None) -> Model:
    """Return the model without the secret, or without one of its revisions.

    Raises:
        SecretError: no such secret or revision, or the unit does not manage it.
    """
    return without(model, managed(model, unit, secret_id), revision)


def without(model: Model, secret: Secret, revision: int | None) -> Model:
    """Return the model without the secret, or without one of its revisions; the last one takes the secret along.

    Raises:
        SecretError: it has no such revision.
    """
    if revision is None or set(secret.revisions) == {revision}:
        return replace(model, secrets=drop(model.secrets, secret.id))
    content_of(secret, revision)
    return model.with_secret(replace(secret, revisions=drop(secret.revisions, revision), newest=secret.latest))


def content_of(secret: Secret, revision: int) -> Bag:
    """Return the content of a revision.

    Raises:
        SecretError: it was removed, or never was.
    """
    if revision not in secret.revisions:
        raise SecretError(f'secret "{secret.id}" revision {revision} not found')
    return secret.revisions[revision].content


def find(model: Model, unit: str, uri: str, label: str) -> Secret:
    """Return the secret that a `secret-get` means: by id, else by the reader's own label, else by the owner's.

    Raises:
        SecretError: there is none.
    """
    if uri:
        return get(model, uri)
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
        return get(model, uri)
    for secret in model.secrets.values():
        if secret.owner in (unit, unit_application(unit)) and secret.label == label:
            return secret
    raise SecretError(f'secret with label "{label}" not found')


def may_read(unit: str, secret: Secret) -> bool:
    """Return whether the unit owns the secret, shares its owner, or has a grant."""
    owner = unit_application(unit)
    return secret.owner in (unit, owner) or unit in secret.grants or owner in secret.grants


def revision_for(unit: str, secret: Secret, *, refresh: bool = False, peek: bool = False) -> int:
    """Return the revision that a read sees: pinned at the first read, moved by refresh; never pinned for owners.

    Raises:
        SecretError: not granted, or the revision was removed.
    """
    if not may_read(unit, secret):
        raise SecretError(DENIED)
    tracked = secret.consumers.get(unit, Consumer()).revision
    own = secret.owner in (unit, unit_application(unit))
    number = secret.latest if own or refresh or peek or tracked == 0 else tracked
    content_of(secret, number)
    return number


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
    secret = get(model, uri)
    if secret.owner == unit_application(unit):
        if not model.is_leader(unit):
            raise SecretError(NOT_LEADER)
    elif secret.owner != unit:
        raise SecretError(DENIED)
    return secret


def get(model: Model, uri: str) -> Secret:
    """Return the secret of this identifier.

    Raises:
        SecretError: there is none.
    """
    number = bare(uri) or uri
    if number not in model.secrets:
        raise SecretError(f'secret "{number}" not found')
    return model.secrets[number]


def unused(secret: Secret) -> list[int]:
    """Return the superseded revisions that nobody tracks, oldest first."""
    tracked = {consumer.revision for consumer in secret.consumers.values()}
    return [number for number in sorted(secret.revisions) if number != secret.latest and number not in tracked]


def _check_label(model: Model, owner: str, label: str, secret_id: str) -> None:
    for other in model.secrets.values():
        if other.owner == owner and other.label == label and other.id != secret_id:
            raise SecretError(f'secret with label "{label}" already exists')


def _revision(content: Mapping[str, str], expire: float | None, now: float) -> SecretRevision:
    for key in content:
        if not KEY.fullmatch(key):
            raise SecretError(f'key "{key}" not valid: lower case letters, digits and single dashes, three at least')
    if not content:
        raise SecretError("missing secret value")
    checksum = hashlib.sha256(json.dumps(dict(content), sort_keys=True).encode()).hexdigest()
    return SecretRevision(dict(content), checksum, now, expire)
