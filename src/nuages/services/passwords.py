"""Passwords of requirers' users that change without a failed request: for a while earlier ones serve too."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nuages.engine.service import Context
from nuages.services import driver

GRACE = 60.0
"""Seconds for which a changed password still serves beside the new one: until every unit of the requirer has it."""
PARAMS: Mapping[str, Any] = {
    "application": {"type": "string", "description": "The related application; all when left out."}
}
"""What the action `rotate-password` of every application takes; `chosen` reads it."""
_EARLIER = "earlier"
"""The field of the secret of earlier passwords; secrets of older versions have one, in `password` and `until`."""


@dataclass(frozen=True)
class Earlier:
    """A password that was changed, and the time at which it ends (seconds since 1970)."""

    password: str
    until: float


@dataclass(frozen=True)
class Passwords:
    """A user's password, and those before it that still serve, the latest first."""

    present: str
    earlier: tuple[Earlier, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Return those that let the user in."""
        return (self.present, *(one.password for one in self.earlier))


def read(context: Context, label: str, *, change: bool = False, field: str = "password") -> Passwords:
    """Return the passwords of the user whose secret has this label; a new one at first, and with `change`.

    However often it changes, each serves until its own time is over. `field` is what the secret calls it.
    """
    kept = context.secret(label)
    if kept is None:
        return Passwords(driver.new_password())
    now = time.time()
    earlier = tuple(one for one in _parse(context.secret(_before(label)) or {}) if one.until > now)
    if change:
        return Passwords(driver.new_password(), (Earlier(kept[field], now + GRACE), *earlier))
    return Passwords(kept[field], earlier)


def keep(context: Context, label: str, passwords: Passwords) -> None:
    """Remember those before, and forget them when their time is over; the present one is in the requirer's secret."""
    if passwords.earlier:
        context.set_secret(_before(label), _content(passwords.earlier))
    else:
        context.remove_secret(_before(label))


def _content(earlier: Iterable[Earlier]) -> dict[str, str]:
    return {_EARLIER: json.dumps([{"password": one.password, "until": one.until} for one in earlier])}


def _parse(content: Mapping[str, str]) -> list[Earlier]:
    found: Any = json.loads(content[_EARLIER]) if _EARLIER in content else [content] if content else []
    return [Earlier(str(one["password"]), float(one["until"])) for one in found]


def forget(context: Context, label: str) -> None:
    """Remove the user's secret and what is remembered beside it."""
    context.remove_secret(label)
    context.remove_secret(_before(label))


def chosen(context: Context, endpoint: str | Sequence[str], wanted: object) -> frozenset[str]:
    """Return the applications related by these endpoints whose passwords change: all, or the one that is wanted.

    Raises:
        ServiceError: no such application is related.
    """
    endpoints = [endpoint] if isinstance(endpoint, str) else endpoint
    related = {relation.remote_application for name in endpoints for relation in context.relations(name)}
    if wanted is None:
        return frozenset(related)
    if wanted not in related:
        known = ", ".join(sorted(related)) or "none"
        raise driver.ServiceError(f"cannot change the password of {wanted!r}: related applications are {known}")
    return frozenset({str(wanted)})


def _before(label: str) -> str:
    return f"{label}.before"
