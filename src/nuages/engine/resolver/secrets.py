"""Secret hooks: changed for whoever read an older revision; remove, rotate and expired for the owner."""

from __future__ import annotations

from nuages.engine.resolver.view import View
from nuages.engine.rotation import next_expiry
from nuages.engine.secrets import may_read, unused
from nuages.engine.state import Hook, Secret


def secrets(view: View) -> Hook | None:
    """Return the first secret hook that is due, by secret id."""
    if not view.local.started or view.dying:
        return None
    for secret_id in sorted(view.model.secrets):
        secret = view.model.secrets[secret_id]
        hook = _changed(view, secret) or (_of_owner(view, secret) if _owns(view, secret) else None)
        if hook:
            return hook
    return None


def _owns(view: View, secret: Secret) -> bool:
    """Whether this unit runs the owner's hooks: the owning unit, or the owning application's leader."""
    by_leader = secret.owner == view.application.name and view.application.leader == view.unit.name
    return secret.owner == view.unit.name or by_leader


def _changed(view: View, secret: Secret) -> Hook | None:
    consumer = secret.consumers.get(view.unit.name)
    if consumer is None or consumer.revision == 0 or not may_read(view.unit.name, secret):
        return None
    told = max(consumer.revision, view.local.secrets.get(secret.id, 0))
    return Hook("secret-changed", secret=secret.id, secret_revision=secret.latest) if told < secret.latest else None


def _of_owner(view: View, secret: Secret) -> Hook | None:
    for number in unused(secret):
        if f"remove/{secret.id}/{number}" not in view.local.secrets:
            return Hook("secret-remove", secret=secret.id, secret_revision=number)
    expiry = next_expiry(secret, view.local.secrets)
    if expiry is not None and expiry[0] <= view.observed.now:
        return Hook("secret-expired", secret=secret.id, secret_revision=expiry[1])
    if secret.rotate_at is not None and secret.rotate_at <= view.observed.now:
        return Hook("secret-rotate", secret=secret.id)
    return None
