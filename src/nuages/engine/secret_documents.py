"""What `secret-info-get`, `secrets` and `show-secret` print of secrets. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from nuages.engine.grants import tag
from nuages.engine.secrets import SecretError, bare, content_of
from nuages.engine.state import MODEL_SCOPE, Model, Secret, SecretRevision

OWNERS = ("application-", "unit-")


def information(model: Model, secret: Secret) -> dict[str, Any]:
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
    shown["access"] = _access(model, secret)
    return shown


def listing(model: Model, owner: str, *, revisions: bool) -> dict[str, Any]:
    """Return what `juju secrets --format json` prints: no content.

    Args:
        model: the model.
        owner: `application-NAME` or `unit-NAME-NUMBER`, "" for all.
        revisions: whether each revision is described.

    Raises:
        SecretError: `owner` is none.
    """
    wanted = _owner(owner)
    return {
        secret.id: _details(model, secret, secret.latest, revisions=revisions)
        for secret in sorted(model.secrets.values(), key=lambda each: (each.owner, -each.latest, each.id))
        if wanted is None or secret.owner == wanted
    }


def details(model: Model, identifier: str, *, revision: int | None, revisions: bool, reveal: bool) -> dict[str, Any]:
    """Return what `juju show-secret --format json` prints of the secrets of this identifier, name or label.

    Raises:
        SecretError: there is none, or no such revision.
    """
    number = bare(identifier)
    found = [each for each in model.secrets.values() if each.id == number or (not number and each.label == identifier)]
    if not found:
        raise SecretError(f'secret "{number or identifier}" not found', fix="nuages secrets")
    shown: dict[str, Any] = {}
    for secret in found:
        content: Mapping[str, str] = content_of(secret, revision or secret.latest) if revision or reveal else {}
        document = _details(model, secret, revision or secret.latest, revisions=revisions)
        if reveal:
            document["checksum"] = secret.checksum
            document["content"] = {"Data": dict(content)}
        document["access"] = _access(model, secret)
        shown[secret.id] = {key: document[key] for key in ORDER if document.get(key) not in (None, [], "")}
    return shown


ORDER = (
    "revision",
    "checksum",
    "expires",
    "rotation",
    "rotates",
    "owner",
    "description",
    "name",
    "label",
    "created",
    "updated",
    "content",
    "revisions",
    "access",
)
"""The keys as Juju orders them."""


def _details(model: Model, secret: Secret, number: int, *, revisions: bool) -> dict[str, Any]:
    newest = secret.revisions.get(secret.latest)
    document: dict[str, Any] = {
        "revision": secret.latest,
        "expires": _rfc3339(newest.expire) if newest is not None and newest.expire is not None else None,
        "rotation": secret.rotate,
        "rotates": _rfc3339(secret.rotate_at) if secret.rotate_at is not None else None,
        "owner": secret.owner or "<model>",
        "description": secret.description,
        "label" if secret.owner else "name": secret.label,
        "created": _rfc3339(secret.created),
        "updated": _rfc3339(secret.updated),
    }
    if revisions:
        document["revisions"] = [_revision(model, number, found) for number, found in sorted(secret.revisions.items())]
    return {key: document[key] for key in ORDER if document.get(key) not in (None, [], "")}


def _revision(model: Model, number: int, found: SecretRevision) -> dict[str, Any]:
    created = _rfc3339(found.created)
    document = {"revision": number, "backend": f"{model.name}-local", "created": created, "updated": created}
    if found.expire is not None:
        document["expires"] = _rfc3339(found.expire)
    return document


def _access(model: Model, secret: Secret) -> list[dict[str, str]]:
    return [
        {"target": tag(entity), "scope": _scope(model, scope), "role": "view"}
        for entity, scope in sorted(secret.grants.items())
    ]


def _scope(model: Model, scope: int) -> str:
    """Return the scope's tag: `relation-notes.db#pg.database`, or the model's."""
    if scope == MODEL_SCOPE:
        return f"model-{model.uuid}"
    return "relation-" + model.relations[scope].key.replace(":", ".").replace(" ", "#")


def _owner(text: str) -> str | None:
    if not text:
        return None
    kind = next((kind for kind in OWNERS if text.startswith(kind) and text != kind), None)
    if kind == "application-":
        return text.removeprefix(kind)
    name, dash, number = text.removeprefix("unit-").rpartition("-")
    if kind is None or not (dash and name and number.isdecimal()):
        raise SecretError(f'invalid owner "{text}"', fix="application-NAME or unit-NAME-NUMBER")
    return f"{name}/{number}"


def _rfc3339(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
