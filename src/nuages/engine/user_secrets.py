"""Secrets of the user: owned by the model, named, granted to applications. Pure functions on the model.

As in Juju 3.6: a grant sends no hook; a new revision sends secret-changed to the units that have read an older one;
superseded revisions go by themselves only when `--auto-prune` was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from nuages.engine.errors import NotFound
from nuages.engine.secrets import DENIED, Attributes, SecretError, bare, fresh, revised, unused, without
from nuages.engine.state import MODEL_SCOPE, Model, Secret, drop, put, unit_application

MODEL = ""
"""The owner of a user's secrets."""


def add(model: Model, secret_id: str, name: str, *, content: Mapping[str, str], description: str, now: float) -> Model:
    """Return the model with the secret.

    Raises:
        SecretError: the name is taken, a key is none, or there is no content.
    """
    if not name:
        raise SecretError("cannot add a secret: its name is empty")
    _check_name(model, name)
    return model.with_secret(fresh(secret_id, MODEL, content, Attributes(label=name, description=description), now))


def update(
    model: Model,
    identifier: str,
    *,
    content: Mapping[str, str],
    name: str,
    description: str,
    auto_prune: bool | None,
    now: float,
) -> Model:
    """Return the model with the secret changed; equal content makes no revision. "" and no content leave as it is.

    Raises:
        SecretError: no such secret, not the user's, the new name is taken, or nothing to change.
    """
    secret = owned(model, identifier)
    if not content and not name and not description and auto_prune is None:
        raise SecretError(
            f"cannot update {identifier}: must specify a new value or metadata to update a secret",
            fix="KEY=VALUE, --file, --info, --name or --auto-prune",
        )
    if name and name != secret.label:
        _check_name(model, name)
        secret = replace(secret, label=name)
    if auto_prune is not None:
        secret = replace(secret, auto_prune=auto_prune)
    secret = revised(secret, content or None, Attributes(description=description or None), now)
    return pruned(model.with_secret(replace(secret, updated=now)))


def remove(model: Model, identifier: str, revision: int | None) -> Model:
    """Return the model without the secret, or without one of its revisions.

    Raises:
        SecretError: no such secret or revision, or not the user's.
    """
    return without(model, owned(model, identifier), revision)


def grant(model: Model, identifier: str, applications: Iterable[str]) -> Model:
    """Return the model in which the applications may read the secret.

    Raises:
        SecretError: no such secret, or not the user's.
        NotFound: no such application.
    """
    secret = owned(model, identifier)
    for name in applications:
        _check_application(model, secret, name)
        secret = replace(secret, grants=put(secret.grants, name, MODEL_SCOPE))
    return model.with_secret(secret)


def revoke(model: Model, identifier: str, applications: Iterable[str]) -> Model:
    """Return the model in which the applications may not read the secret; what they tracked is remembered.

    Raises:
        SecretError: no such secret, or not the user's.
        NotFound: no such application.
    """
    secret = owned(model, identifier)
    for name in applications:
        _check_application(model, secret, name)
        secret = replace(secret, grants=drop(secret.grants, name))
    return model.with_secret(secret)


def pruned(model: Model) -> Model:
    """Return the model without the revisions that nobody tracks, of secrets whose user asked for that."""
    for secret in list(model.secrets.values()):
        if secret.auto_prune and (gone := unused(secret)):
            kept = {number: found for number, found in secret.revisions.items() if number not in gone}
            model = model.with_secret(replace(secret, revisions=kept))
    return model


def owned(model: Model, identifier: str) -> Secret:
    """Return the user's secret of this identifier or name.

    Raises:
        SecretError: there is none, or it is a charm's.
    """
    number = bare(identifier)
    if not number:
        found = next((each for each in model.secrets.values() if _named(each, identifier)), None)
    else:
        found = model.secrets.get(number)
    if found is None:
        raise SecretError(f'secret "{number or identifier}" not found', fix="nuages secrets")
    if found.owner != MODEL:
        raise SecretError(
            f'cannot change secret "{found.id}": {DENIED}: it belongs to {found.owner}',
            fix="only secrets that add-secret made can be changed; charms look after their own",
        )
    return found


def readers(secret: Secret) -> set[str]:
    """Return the applications with a grant whose units have read the secret: those that hear of a new revision."""
    return {name for unit in secret.consumers if (name := unit_application(unit)) in secret.grants}


def _named(secret: Secret, name: str) -> bool:
    return secret.owner == MODEL and secret.label == name


def _check_name(model: Model, name: str) -> None:
    if any(_named(secret, name) for secret in model.secrets.values()):
        raise SecretError(f'secret with name "{name}" already exists', fix=f"nuages update-secret {name}")


def _check_application(model: Model, secret: Secret, name: str) -> None:
    found = model.applications.get(name)
    text = f'cannot change access to "secret:{secret.id}" for "{name}"'
    if found is None:
        known = ", ".join(sorted(model.applications)) or "none"
        raise NotFound(f'{text}: application "{name}" not found', fix=f"applications: {known}")
    if found.life != "alive":
        raise SecretError(f'{text}: cannot grant dying "application-{name}" access to secret')
