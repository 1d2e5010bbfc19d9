"""When a secret's owner is told that it is to be rotated or has expired. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from nuages.engine.state import Secret

AGAIN = 300
"""Seconds after which the owner is told again that a secret is to be rotated, or that a revision has expired, when it
has done nothing about it (Juju's retry delays)."""
ROTATIONS = {
    "hourly": 3600,
    "daily": 86400,
    "weekly": 604800,
    "monthly": 2592000,
    "quarterly": 7776000,
    "yearly": 31536000,
}


def next_rotation(policy: str, now: float) -> float | None:
    """Return when a secret of this policy is due next, None for never."""
    return now + ROTATIONS[policy] if policy in ROTATIONS else None


def next_expiry(secret: Secret, told: Mapping[str, int]) -> tuple[float, int] | None:
    """Return (when, revision) of the next secret-expired; `told`: what the unit has run, by `expiry_key`.

    The hook repeats until the revision has been removed.
    """
    due = [
        (max(revision.expire, told.get(expiry_key(secret, number), 0) + AGAIN), number)
        if expiry_key(secret, number) in told
        else (revision.expire, number)
        for number, revision in secret.revisions.items()
        if revision.expire is not None
    ]
    return min(due, default=None)


def expiry_key(secret: Secret, revision: int) -> str:
    """Return under which key a unit remembers when it ran secret-expired for a revision."""
    return f"expired/{secret.id}/{revision}"
