"""Passwords of requirers' users that change without a failed request: for a while the old one serves too."""

from __future__ import annotations

import time
from dataclasses import dataclass

from nuages.engine.service import Context
from nuages.services import driver

GRACE = 60.0
"""Seconds for which a changed password still serves beside the new one: until every unit of the requirer has it."""


@dataclass(frozen=True)
class Passwords:
    """A user's password, and while it serves the one before with the time at which it ends (seconds since 1970)."""

    present: str
    before: str = ""
    until: float = 0.0

    @property
    def all(self) -> tuple[str, ...]:
        """Return those that let the user in."""
        return (self.present, self.before) if self.before else (self.present,)


def read(context: Context, label: str, *, change: bool = False, field: str = "password") -> Passwords:
    """Return the passwords of the user whose secret has this label; a new one at first, and with `change`.

    `field` is what the secret calls it.
    """
    kept = context.secret(label)
    if kept is None:
        return Passwords(driver.new_password())
    if change:
        return Passwords(driver.new_password(), kept[field], time.time() + GRACE)
    before = context.secret(_before(label))
    if before and float(before["until"]) > time.time():
        return Passwords(kept[field], before["password"], float(before["until"]))
    return Passwords(kept[field])


def keep(context: Context, label: str, passwords: Passwords) -> None:
    """Remember the one before, and forget it when its time is over; the present one is in the requirer's secret."""
    if passwords.before:
        context.set_secret(_before(label), {"password": passwords.before, "until": str(passwords.until)})
    else:
        context.remove_secret(_before(label))


def forget(context: Context, label: str) -> None:
    """Remove the user's secret and what is remembered beside it."""
    context.remove_secret(label)
    context.remove_secret(_before(label))


def chosen(context: Context, endpoint: str, wanted: object) -> frozenset[str]:
    """Return the related applications whose passwords change: all, or the one that is wanted.

    Raises:
        ServiceError: no such application is related.
    """
    related = {relation.remote_application for relation in context.relations(endpoint)}
    if wanted is None:
        return frozenset(related)
    if wanted not in related:
        known = ", ".join(sorted(related)) or "none"
        raise driver.ServiceError(f"cannot change the password of {wanted!r}: related applications are {known}")
    return frozenset({str(wanted)})


def _before(label: str) -> str:
    return f"{label}.before"
