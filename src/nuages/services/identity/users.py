"""The test users of an identity provider: made at random, shown and changed by actions, kept in a secret."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from nuages.engine.service import Context
from nuages.services import driver

LABEL = "users"
FIELDS: Mapping[str, str] = {
    "email": "The user's address.",
    "given-name": "The user's first name.",
    "family-name": "The user's last name.",
    "groups": "Groups the user is in, between commas.",
}
ACTIONS: Mapping[str, Any] = {
    "show-users": {"description": "Show the test users with their passwords, and where they sign in. Only here."},
    "set-user": {
        "description": "Add a test user, or change one: what is not given stays as it is. Only here.",
        "params": {
            "username": {"type": "string", "description": "Who signs in."},
            "password": {"type": "string", "description": "Its password; for a new user a random one when left out."},
            **{name: {"type": "string", "description": text} for name, text in FIELDS.items()},
        },
        "required": ["username"],
    },
    "remove-user": {
        "description": "Remove a test user; who is signed in as that is signed out. Only here.",
        "params": {"username": {"type": "string", "description": "Whom to remove."}},
        "required": ["username"],
    },
}
"""The actions of every identity provider."""
_LONGEST = 200


@dataclass(frozen=True)
class User:
    """A test user. `id` never changes, `salt` and `hash` change with the password."""

    name: str
    id: str
    email: str
    given_name: str
    family_name: str
    groups: tuple[str, ...]
    password: str
    salt: str
    hash: str

    def with_password(self, password: str) -> User:
        """Return the same with another password."""
        salt = secrets.token_bytes(16)
        # The parameters are those of the provider's people.py.
        made = hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
        return replace(self, password=password, salt=salt.hex(), hash=made.hex())


def new(name: str, *, email: str = "", given_name: str = "", family_name: str = "", groups: str = "") -> User:
    """Return a new user with a random password."""
    words = tuple(word.strip() for word in groups.split(",") if word.strip())
    user = User(name, str(uuid.uuid4()), email, given_name, family_name, words, "", "", "")
    return user.with_password(_password())


def read(context: Context) -> tuple[User, ...]:
    """Return the users; before the leader has made any, none."""
    kept = context.secret(LABEL)
    if kept is None:
        if not context.is_leader:
            return ()
        users = (
            new("alice", email="alice@example.com", given_name="Alice", family_name="Archer", groups="staff, admins"),
            new("bob", email="bob@example.com", given_name="Bob", family_name="Baker", groups="staff"),
        )
        _keep(context, users)
        return users
    found: list[dict[str, Any]] = json.loads(kept["users"])
    return tuple(replace(User(**entry), groups=tuple(entry["groups"])) for entry in found)


def document(users: tuple[User, ...]) -> str:
    """Return what the provider reads: everything but the passwords themselves."""
    told = {user.name: {key: value for key, value in asdict(user).items() if key != "password"} for user in users}
    return json.dumps(told, sort_keys=True, indent=1) + "\n"


def act(context: Context, name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Run one of `ACTIONS` and return its results; the provider is told of changes by the caller.

    Raises:
        ServiceError: it cannot be done.
    """
    users = {user.name: user for user in read(context)}
    if name == "show-users":
        return {user.name: _shown(user) for user in users.values()}
    wanted = str(params["username"])
    if name == "remove-user":
        if wanted not in users:
            raise driver.ServiceError(f"cannot remove {wanted!r}: the users are {', '.join(users) or 'none'}")
        del users[wanted]
        _keep(context, tuple(users.values()))
        return {"removed": wanted}
    users[wanted] = changed(users.get(wanted), wanted, params)
    _keep(context, tuple(users.values()))
    return {wanted: _shown(users[wanted])}


def changed(user: User | None, name: str, params: Mapping[str, Any]) -> User:
    """Return a user as the parameters of `set-user` want it; a new one when there is none. Pure but for chance.

    Raises:
        ServiceError: a parameter cannot be.
    """
    given = {key: str(value) for key, value in params.items() if value is not None}
    if not name or not name.isprintable() or name != name.strip() or len(name) > _LONGEST:
        raise driver.ServiceError("cannot add the user: username must be a name of up to 200 characters")
    for key, value in given.items():
        if not value.isprintable() or len(value) > _LONGEST:
            raise driver.ServiceError(f"cannot change {name}: {key} must be one line of up to {_LONGEST} characters")
    if given.get("password") == "":
        raise driver.ServiceError(f"cannot change {name}: password must not be empty")
    user = user or new(name, email=f"{name}@example.com" if "@" not in name else name)
    if "password" in given:
        user = user.with_password(given["password"])
    groups = user.groups
    if "groups" in given:
        groups = tuple(word.strip() for word in given["groups"].split(",") if word.strip())
    return replace(
        user,
        email=given.get("email", user.email),
        given_name=given.get("given-name", user.given_name),
        family_name=given.get("family-name", user.family_name),
        groups=groups,
    )


def _shown(user: User) -> dict[str, str]:
    return {
        "password": user.password,
        "email": user.email,
        "name": f"{user.given_name} {user.family_name}".strip(),
        "groups": ", ".join(user.groups),
    }


def _keep(context: Context, users: tuple[User, ...]) -> None:
    context.set_secret(LABEL, {"users": json.dumps([asdict(user) for user in users])})


def _password() -> str:
    """Return a password that a person can type: 12 characters, none of which looks like another."""
    return "".join(secrets.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(12))
