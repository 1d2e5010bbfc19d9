"""From a requirer's databag to the provider's, on the interface postgresql_client (data_interfaces v0). Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from nuages.services import databags
from nuages.services.driver import Answer, Refused
from nuages.services.postgresql import roles

ENDPOINT = "database"
SECRET_USER = "secret-user"  # noqa: S105  # the name of a databag key
SECRET_TLS = "secret-tls"  # noqa: S105  # the name of a databag key

_RESERVED = frozenset({"postgres", "template0", "template1"})
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_LONGEST = 49


@dataclass(frozen=True)
class Server:
    """Where this server is: by its names in the model."""

    application: str
    model: str
    port: int
    version: str
    authority: str = ""
    """The certificate (PEM) of the authority that signed the server's; "" without TLS."""

    def endpoint(self, role: str) -> str:
        """Return host:port of a role, `primary` or `replicas`."""
        return f"{self.application}-{role}.{self.model}.svc.cluster.local:{self.port}"


@dataclass(frozen=True)
class Request:
    """What a requirer asks for."""

    relation: int
    database: str
    secret_fields: frozenset[str]
    """Fields it wants in secrets; empty: it takes all as plain text."""
    attributes: frozenset[str]
    bag: Mapping[str, str]


def parse(relation: int, requirer: str, bag: Mapping[str, str], own: Mapping[str, str]) -> Request | None:
    """Return what the application `requirer` asks for, or None while it has not asked.

    The database's name counts once: after `own` (our databag) has named one, a changed wish is not followed.

    Raises:
        Refused: there is no such database or user to be had.
    """
    database = own.get("database") or bag.get("database", "")
    if not database:
        return None
    # Its owner is a role of the same beginning, and the server keeps that one for its own roles.
    if database in _RESERVED or database.startswith("pg_") or not _NAME.fullmatch(database):
        raise Refused(f"{requirer} asks for a database that cannot be named {database!r:.60}")
    if len(database) > _LONGEST:
        raise Refused(f"{requirer} asks for a database with a name of more than {_LONGEST} characters")
    attributes = frozenset(word.strip().upper() for word in bag.get("extra-user-roles", "").split(",") if word.strip())
    unknown = sorted(attributes.difference(roles.ATTRIBUTES))
    if unknown:
        known = ", ".join(roles.ATTRIBUTES)
        raise Refused(f"{requirer} asks for the user role {unknown[0]!r:.60}: there are {known}")
    return Request(relation, database, databags.requested_secrets(requirer, bag), attributes, dict(bag))


def answer(request: Request, name: str, password: str, server: Server) -> Answer:
    """Return the provider's databag for a request whose user `name` and database exist."""
    primary = server.endpoint("primary")
    user: dict[str, str] = {
        "username": name,
        "password": password,
        "uris": f"postgresql://{name}:{password}@{primary}/{request.database}",
    }
    tls = {"tls": "True", "tls-ca": server.authority} if server.authority else {"tls": "False"}
    databag = {
        "data": json.dumps(dict(sorted(request.bag.items()))),
        "database": request.database,
        "endpoints": primary,
        "read-only-endpoints": server.endpoint("replicas"),
        "version": server.version,
    }
    if not request.secret_fields:
        return Answer(databag | user | tls)
    asked = request.secret_fields | {"username", "password"}
    secrets = {SECRET_USER: {key: value for key, value in user.items() if key in asked}}
    if found := {key: value for key, value in tls.items() if key in asked}:
        secrets[SECRET_TLS] = found
    return Answer(databag, secrets)
