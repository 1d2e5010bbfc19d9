"""Users that change with their passwords, where a server knows one password for each user.

A new password is a new user's: of two names that take turns. The user before serves for a while beside it, so that no
request fails until every unit of the requirer has heard.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

from nuages.engine.service import Context, Relation
from nuages.services import driver, passwords


@dataclass(frozen=True)
class Login:
    """A user and its password; `until` (seconds since 1970) is set for one that goes."""

    name: str
    password: str
    until: float = 0.0


def read(
    context: Context, relation: Relation, key: str, names: tuple[str, str], *, change: bool = False
) -> tuple[Login, ...]:
    """Return the relation's login, and the one before it while that serves; a new one at first, and with `change`.

    Args:
        context: the hook.
        relation: whose users they are.
        key: the databag key of its secret; a requirer that takes no secrets has the login in the databag.
        names: those that take turns.
        change: make a new login.

    Raises:
        ServiceError: a new login is wanted while the one before serves, and with it has both names.
    """
    said = context.secret(driver.secret_label(relation, key)) or relation.local_app()
    if not said.get("password"):
        return (Login(names[0], driver.new_password()),)
    present = Login(said.get("username") or names[0], said["password"])
    before = context.secret(_label(relation, key)) or {}
    left = float(before.get("until", 0)) - time.time()
    if change:
        if left > 0:
            raise driver.ServiceError(
                f"cannot change the password of {relation.remote_application} again yet: its user from before the last "
                f"change serves for another {math.ceil(left)} s, until every unit has heard of the new one",
                fix=f"repeat it in {math.ceil(left)} s",
            )
        other = names[1] if present.name == names[0] else names[0]
        return Login(other, driver.new_password()), replace(present, until=time.time() + passwords.GRACE)
    if left > 0:
        return present, Login(before["username"], before["password"], float(before["until"]))
    return (present,)


def keep(context: Context, relation: Relation, key: str, logins: tuple[Login, ...]) -> None:
    """Remember the one before, and forget it when its time is over; the present one is in what the requirer is told."""
    if len(logins) == 1:
        context.remove_secret(_label(relation, key))
        return
    before = logins[1]
    content = {"username": before.name, "password": before.password, "until": str(before.until)}
    context.set_secret(_label(relation, key), content)


def forget(context: Context, relation: Relation, key: str) -> None:
    """Remove the relation's secrets."""
    context.remove_secret(driver.secret_label(relation, key))
    context.remove_secret(_label(relation, key))


def _label(relation: Relation, key: str) -> str:
    return f"{driver.secret_label(relation, key)}.before"
