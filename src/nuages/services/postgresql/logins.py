"""A relation's user and password, and after a change for a minute those before."""

from __future__ import annotations

import time
from dataclasses import dataclass

from nuages.engine.service import Context, Relation
from nuages.services import driver, passwords
from nuages.services.postgresql import answer, roles


@dataclass(frozen=True)
class Login:
    """A user and its password; `until` (seconds since 1970) is set for one that goes."""

    name: str
    password: str
    until: float = 0.0


def read(context: Context, relation: Relation, *, change: bool = False) -> tuple[Login, ...]:
    """Return the relation's login, and the one before it while that serves; a new one at first, and with `change`."""
    said = context.secret(driver.secret_label(relation, answer.SECRET_USER)) or relation.local_app()
    if not said.get("password"):
        return (Login(roles.user_of(relation.id), driver.new_password()),)
    present = Login(said.get("username") or roles.user_of(relation.id), said["password"])
    if change:
        until = time.time() + passwords.GRACE
        return Login(roles.next_user(relation.id), driver.new_password()), Login(present.name, present.password, until)
    before = context.secret(_label(relation))
    if before and float(before["until"]) > time.time():
        return present, Login(before["username"], before["password"], float(before["until"]))
    return (present,)


def keep(context: Context, relation: Relation, logins: tuple[Login, ...]) -> None:
    """Remember the one before, and forget it when its time is over; the present one is in what the requirer is told."""
    if len(logins) == 1:
        context.remove_secret(_label(relation))
        return
    before = logins[1]
    content = {"username": before.name, "password": before.password, "until": str(before.until)}
    context.set_secret(_label(relation), content)


def forget(context: Context, relation: Relation) -> None:
    """Remove the relation's secrets."""
    for key in answer.SECRETS:
        context.remove_secret(driver.secret_label(relation, key))
    context.remove_secret(_label(relation))


def _label(relation: Relation) -> str:
    return f"{driver.secret_label(relation, answer.SECRET_USER)}.before"
