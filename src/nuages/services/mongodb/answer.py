"""From a requirer's databag to the provider's, on the interface mongodb_client (data_interfaces v0). Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from nuages.services import databags
from nuages.services.driver import Answer, Refused
from nuages.services.mongodb.server import PORT

ENDPOINT = "database"
SECRET_USER = "secret-user"  # noqa: S105  # the name of a databag key

_RESERVED = frozenset({"admin", "config", "local"})
_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")
"""What FerretDB takes on SQLite; MongoDB takes more signs."""
_ROLES = frozenset({"default"})


@dataclass(frozen=True)
class Request:
    """What a requirer asks for."""

    relation: int
    database: str
    secret_fields: frozenset[str]
    """Fields it wants in secrets; empty: it takes all as plain text."""
    bag: Mapping[str, str]


def users(relation: int) -> tuple[str, str]:
    """Return the names of a relation's user, that take turns when its password changes; the first is Charmhub's."""
    return f"relation-{relation}", f"relation-{relation}-2"


def parse(relation: int, requirer: str, bag: Mapping[str, str], own: Mapping[str, str]) -> Request | None:
    """Return what the application `requirer` asks for, or None while it has not asked.

    The database's name counts once: after `own` (our databag) has named one, a changed wish is not followed.

    Raises:
        Refused: there is no such database or user to be had.
    """
    database = own.get("database") or bag.get("database", "")
    if not database:
        return None
    if database in _RESERVED or not _NAME.fullmatch(database):
        raise Refused(f"{requirer} asks for a database that cannot be named {database!r:.80}")
    roles = {word.strip() for word in bag.get("extra-user-roles", "").split(",") if word.strip()}
    if unknown := sorted(roles - _ROLES):
        raise Refused(f"{requirer} asks for the user role {unknown[0]!r:.40}: there is default, on its own database")
    return Request(relation, database, databags.requested_secrets(requirer, bag), dict(bag))


def answer(request: Request, user: str, password: str, application: str) -> Answer:
    """Return the provider's databag for a request whose user and database exist.

    As Charmhub's mongodb-k8s, but without `replset` and `replicaSet=`: there is no replica set to find members of.
    """
    host = f"{application}-0.{application}-endpoints"
    login = {
        "username": user,
        "password": password,
        "uris": f"mongodb://{user}:{password}@{host}:{PORT}/{request.database}?authSource=admin",
    }
    databag = {
        "data": json.dumps(dict(sorted(request.bag.items()))),
        "database": request.database,
        "endpoints": host,
    }
    if not request.secret_fields:
        return Answer(databag | login)
    asked = request.secret_fields | {"username", "password"}
    return Answer(databag, {SECRET_USER: {key: value for key, value in login.items() if key in asked}})
