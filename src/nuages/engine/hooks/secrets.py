"""Secrets as hooks handle them: reads track at once, changes wait for the hook's success."""

from __future__ import annotations

import time
from collections.abc import Mapping

from nuages.engine import grants, secrets
from nuages.engine.hooks.context import HookContext, Write
from nuages.engine.hooks.errors import ToolError
from nuages.engine.secrets import Attributes, SecretError
from nuages.engine.state import Bag, Model, unit_application


def get(context: HookContext, uri: str, label: str, *, refresh: bool = False, peek: bool = False) -> Bag:
    """Return the content that the unit sees, and note which revision it has read.

    Raises:
        ToolError: not found, or not granted.
    """
    try:
        secret = secrets.find(context.draft, context.unit_name, uri, label)
        revision = secrets.revision_for(context.unit_name, secret, refresh=refresh, peek=peek)
    except SecretError as error:
        raise ToolError(str(error)) from error
    tracked = None if peek else revision
    new_label = label if uri and label else None
    unit = context.unit_name

    def track(model: Model) -> Model:
        return secrets.track(model, unit, secret.id, tracked, new_label)

    before = context.before.secrets.get(secret.id)
    if before is not None and (tracked is None or tracked <= before.latest):
        context.immediate(track)
    else:
        context.write(track)
    return secret.revisions[revision].content


def add(context: HookContext, owner: str, content: Mapping[str, str], attributes: Attributes) -> str:
    """Create a secret of the unit or its application and return its URI.

    Raises:
        ToolError: not the leader, a bad key, a label in use.
    """
    unit, secret_id, now = context.unit_name, secrets.new_id(), time.time()
    owning = unit if owner == "unit" else unit_application(unit)
    copy = dict(content)

    def write(model: Model) -> Model:
        return secrets.create(
            model, unit, owner=owning, secret_id=secret_id, content=copy, attributes=attributes, now=now
        )

    _write(context, write)
    context.revised.add(secret_id)
    return f"secret:{secret_id}"


def change(context: HookContext, uri: str, content: Mapping[str, str] | None, attributes: Attributes) -> None:
    """Change a secret that the unit manages; a hook makes one revision of it at most.

    Raises:
        ToolError: not found, or another's.
    """
    unit, now = context.unit_name, time.time()
    copy = dict(content) if content is not None else None
    number = secrets.bare(uri)
    amend = number in context.revised
    before = context.draft.secrets.get(number)

    def write(model: Model) -> Model:
        return secrets.update(model, unit, uri, content=copy, attributes=attributes, now=now, amend=amend)

    _write(context, write)
    if before is not None and context.draft.secrets[number].latest > before.latest:
        context.revised.add(number)


def grant(context: HookContext, uri: str, relation_id: int, target: str | None) -> None:
    """Let the relation's other side, or one unit of it, read the secret.

    A reader has one grant. That it has one by another relation fails the hook when it commits, as in Juju.
    """
    context.relation(relation_id)
    unit = context.unit_name

    def check(model: Model) -> Model:
        grants.check_scope(model, unit, uri, relation_id, target)
        return model

    context.writes.append(check)
    _write(context, lambda model: grants.grant(model, unit, uri, relation_id, target))


def revoke(context: HookContext, uri: str, targets: tuple[str, ...]) -> None:
    """Take the right to read back."""
    unit = context.unit_name
    _write(context, lambda model: grants.revoke(model, unit, uri, targets))


def remove(context: HookContext, uri: str, revision: int | None) -> None:
    """Remove the secret or one revision."""
    unit = context.unit_name
    _write(context, lambda model: secrets.remove(model, unit, uri, revision))


def owned(context: HookContext) -> list[str]:
    """Return the ids of the secrets that the unit manages, sorted."""
    unit = context.unit_name
    owners = [unit, *([unit_application(unit)] if context.is_leader else [])]
    return sorted(secret.id for secret in context.draft.secrets.values() if secret.owner in owners)


def _write(context: HookContext, write: Write) -> None:
    try:
        context.write(write)
    except SecretError as error:
        raise ToolError(str(error)) from error
