"""From a requirer's databag to the provider's, on the interface mysql_client (data_interfaces v0). Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from nuages.services import databags
from nuages.services.driver import Answer, Refused
from nuages.services.mysql import users
from nuages.services.mysql.server import PORT

ENDPOINT = "database"
SECRET_USER = "secret-user"  # noqa: S105  # the name of a databag key

_RESERVED = frozenset({"mysql", "sys", "information_schema", "performance_schema", "mysql_innodb_cluster_metadata"})
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_LONGEST = 64
"""Characters of a name, and of the pattern in which rights are given."""


@dataclass(frozen=True)
class Server:
    """Where this server is, by its names in the model, and what it says of itself."""

    application: str
    model: str
    version: str

    def endpoint(self, role: str) -> str:
        """Return host:port of a role, `primary` or `replicas`; the dot at the end of the host is the charm's."""
        return f"{self.application}-{role}.{self.model}.svc.cluster.local.:{PORT}"


@dataclass(frozen=True)
class Request:
    """What a requirer asks for."""

    database: str
    user: str
    secret: bool
    """Whether it takes credentials in a secret; else they are plain text."""
    roles: frozenset[str]
    bag: Mapping[str, str]


def parse(user: str, requirer: str, bag: Mapping[str, str], own: Mapping[str, str]) -> Request | None:
    """Return what the application `requirer`, whose user is `user`, asks for, or None while it has not asked.

    The database's name counts once: after `own` (our databag) has named one, a changed wish is not followed.

    Raises:
        Refused: there is no such database or role to be had.
    """
    database = own.get("database") or bag.get("database", "")
    if not database:
        return None
    if database.lower() in _RESERVED or not _NAME.fullmatch(database):
        raise Refused(f"{requirer} asks for a database that cannot be named {database!r:.60}")
    if len(users.pattern(database)) > _LONGEST:
        raise Refused(
            f"{requirer} asks for a database with a name of more than {_LONGEST} characters, of which _ is two"
        )
    roles = frozenset(word.strip() for word in bag.get("extra-user-roles", "").split(",") if word.strip())
    unknown = sorted(roles.difference(users.ROLES))
    if unknown:
        raise Refused(f"{requirer} asks for the user role {unknown[0]!r:.60}: there are {', '.join(users.ROLES)}")
    return Request(database, user, bool(databags.requested_secrets(requirer, bag)), roles, dict(bag))


def answer(request: Request, password: str, server: Server) -> Answer:
    """Return the provider's databag for a request whose user and database exist: no URL and no TLS, as there."""
    credentials = {"username": request.user, "password": password}
    databag = {
        "data": json.dumps(dict(sorted(request.bag.items()))),
        "database": request.database,
        "endpoints": server.endpoint("primary"),
        "read-only-endpoints": server.endpoint("replicas"),
        "version": server.version,
    }
    if request.secret:
        return Answer(databag, {SECRET_USER: credentials})
    return Answer(databag | credentials)
