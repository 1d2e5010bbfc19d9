"""Users and databases of PostgreSQL: what there is, what there should be, and the SQL between the two. Pure.

Every database has an owner that cannot log in, `<database>_owner`. A relation's user acts as that owner, so what it
creates belongs to the owner and outlives it: the next relation's user finds the same tables and may alter them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

OPERATOR = "operator"
PREFIX = "relation_id_"
ATTRIBUTES = ("SUPERUSER", "CREATEDB", "CREATEROLE")

QUERY = f"""
SELECT json_build_object(
  'users', (SELECT coalesce(json_object_agg(rolname, json_build_object(
      'verifier', rolpassword,
      'attributes', array_remove(ARRAY[CASE WHEN rolsuper THEN 'SUPERUSER' END,
                                       CASE WHEN rolcreatedb THEN 'CREATEDB' END,
                                       CASE WHEN rolcreaterole THEN 'CREATEROLE' END], NULL),
      'owners', ARRAY(SELECT o.rolname::text FROM pg_auth_members m JOIN pg_roles o ON o.oid = m.roleid
                      WHERE m.member = a.oid AND o.rolname LIKE '%\\_owner' ORDER BY 1),
      'acts_as', (SELECT substr(s, 6) FROM pg_db_role_setting, unnest(setconfig) s
                  WHERE setrole = a.oid AND setdatabase = 0 AND s LIKE 'role=%'),
      'databases', ARRAY(SELECT DISTINCT d.datname::text FROM pg_shdepend p JOIN pg_database d ON d.oid = p.dbid
                         WHERE p.refclassid = 'pg_authid'::regclass AND p.refobjid = a.oid ORDER BY 1)
    )), '{{}}') FROM pg_authid a WHERE rolname ~ '^{PREFIX}[0-9]+(_b)?$' OR rolname = '{OPERATOR}'),
  'owners', ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname LIKE '%\\_owner' ORDER BY 1),
  'databases', (SELECT coalesce(json_object_agg(datname, json_build_object(
      'owner', pg_get_userbyid(datdba), 'open', has_database_privilege('public', oid, 'CONNECT')
    )), '{{}}') FROM pg_database WHERE NOT datistemplate));
"""  # noqa: S608  # our own constants only
"""Prints the one JSON document that `Existing.parse` reads."""


@dataclass(frozen=True)
class User:
    """A user that should be: a relation's, or (with no database) the operator. `verifier` stands for its password."""

    name: str
    verifier: str
    database: str = ""
    attributes: frozenset[str] = frozenset()

    @property
    def relation(self) -> str:
        """Return the number of its relation, "" for the operator."""
        return relation_of(self.name)

    @property
    def acts_as(self) -> str:
        """Return the role its sessions take on; with attributes of its own it must stay itself to use them."""
        return owner_of(self.database) if self.database and not self.attributes else ""


@dataclass(frozen=True)
class ExistingUser:
    """A user that is."""

    verifier: str
    attributes: frozenset[str] = frozenset()
    owners: tuple[str, ...] = ()
    acts_as: str = ""
    databases: tuple[str, ...] = ()
    """Databases in which something belongs to it or is granted to it."""


@dataclass(frozen=True)
class Existing:
    """What the server has: users of relations and the operator, owner roles, databases with owner and openness."""

    users: Mapping[str, ExistingUser] = field(default_factory=dict[str, ExistingUser])
    owners: frozenset[str] = frozenset()
    databases: Mapping[str, tuple[str, bool]] = field(default_factory=dict[str, tuple[str, bool]])

    @classmethod
    def parse(cls, text: str) -> Existing:
        """Return what `QUERY` printed."""
        document = cast("dict[str, Any]", json.loads(text))
        users = {
            name: ExistingUser(
                verifier=user["verifier"] or "",
                attributes=frozenset(user["attributes"]),
                owners=tuple(user["owners"]),
                acts_as=user["acts_as"] or "",
                databases=tuple(user["databases"]),
            )
            for name, user in document["users"].items()
        }
        databases = {name: (str(entry["owner"]), bool(entry["open"])) for name, entry in document["databases"].items()}
        return cls(users, frozenset(document["owners"]), databases)


def owner_of(database: str) -> str:
    """Return the role that owns a database and all in it."""
    return f"{database}_owner"


def user_of(relation: int) -> str:
    """Return the name of a relation's user; after a change of its password another one: see `services.logins`."""
    return f"{PREFIX}{relation}"


def relation_of(user: str) -> str:
    """Return the relation's number in the name of its user, "" for another user."""
    return user[len(PREFIX) :].partition("_")[0] if user.startswith(PREFIX) else ""


def other_user(relation: int) -> str:
    """Return the other name of a relation's user: they take turns when its password changes."""
    return f"{PREFIX}{relation}_b"


def verifier(user: str, password: str) -> str:
    """Return what PostgreSQL stores for a password (SCRAM-SHA-256, RFC 5803), so that no SQL ever holds it.

    The salt comes from both arguments: the same ones give the same verifier, and comparing tells a changed password.
    """
    salt = hmac.digest(password.encode(), b"nuages " + user.encode(), "sha256")[:16]
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 4096)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    text = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256$4096:{text[0]}${text[1]}:{text[2]}"


def script(wanted: Sequence[User], existing: Existing) -> str:
    """Return the psql script that makes the wanted users and databases.

    Empty when all is as wanted. Running it twice, or again after it stopped half way, is harmless.
    """
    lines: list[str] = []
    for database in sorted({user.database for user in wanted if user.database}):
        lines += _database(database, existing)
    for user in wanted:
        lines += _user(user, existing.users.get(user.name))
    return "".join(f"{line}\n" for line in lines)


def removals(wanted: Sequence[User], existing: Existing, relations: Collection[int]) -> list[str]:
    """Return psql scripts that each remove one user of other than `relations`; what it made stays.

    Each by itself: one that fails, because of a lock on something of its user's, keeps nobody else out.
    """
    names = {user.name for user in wanted}
    served = {user.relation for user in wanted}
    refused = {str(relation) for relation in relations}.difference(served)
    return [
        "".join(f"{line}\n" for line in _removal(name, user))
        for name, user in sorted(existing.users.items())
        if name.startswith(PREFIX) and name not in names and relation_of(name) not in refused
    ]


def _database(database: str, existing: Existing) -> Iterator[str]:
    owner = owner_of(database)
    current, public = existing.databases.get(database, ("", True))
    if owner not in existing.owners:
        yield f"CREATE ROLE {identifier(owner)} NOLOGIN;"
    if not current:
        yield f"CREATE DATABASE {identifier(database)} OWNER {identifier(owner)};"
    elif current != owner:
        yield f"ALTER DATABASE {identifier(database)} OWNER TO {identifier(owner)};"
    if public:
        yield f"REVOKE ALL ON DATABASE {identifier(database)} FROM PUBLIC;"


def _user(user: User, current: ExistingUser | None) -> Iterator[str]:
    name = identifier(user.name)
    if current is None:
        yield f"CREATE ROLE {name} LOGIN PASSWORD {literal(user.verifier)}{_flags(user.attributes)};"
        current = ExistingUser(user.verifier, user.attributes)
    if current.verifier != user.verifier:
        yield f"ALTER ROLE {name} LOGIN PASSWORD {literal(user.verifier)};"
    if current.attributes != user.attributes:
        yield f"ALTER ROLE {name}{_flags(user.attributes, all_of_them=True)};"
    if user.database and owner_of(user.database) not in current.owners:
        yield f"GRANT {identifier(owner_of(user.database))} TO {name};"
    if current.acts_as != user.acts_as:
        yield f"ALTER ROLE {name} " + (f"SET role = {literal(user.acts_as)};" if user.acts_as else "RESET role;")


def _removal(name: str, user: ExistingUser) -> Iterator[str]:
    quoted, heir = identifier(name), identifier(user.owners[0] if user.owners else "postgres")
    yield f"ALTER ROLE {quoted} NOLOGIN;"
    yield f"DO $$BEGIN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = {literal(name)}; END$$;"
    for database in (*(name for name in user.databases if name != "postgres"), "postgres"):
        yield f"\\connect {connection(database)}"
        yield "SET lock_timeout = '5s';"
        yield f"REASSIGN OWNED BY {quoted} TO {heir};"
        yield f"DROP OWNED BY {quoted};"
    yield f"DROP ROLE {quoted};"


def _flags(attributes: frozenset[str], *, all_of_them: bool = False) -> str:
    words = [word if word in attributes else f"NO{word}" for word in ATTRIBUTES if word in attributes or all_of_them]
    return "".join(f" {word}" for word in words)


def identifier(name: str) -> str:
    """Return a name quoted for SQL."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def literal(text: str) -> str:
    """Return a string quoted for SQL (standard_conforming_strings is on)."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def connection(database: str) -> str:
    """Return psql's argument for a database of any name: a connection string, quoted for psql."""
    escaped = database.replace("\\", "\\\\").replace("'", "\\'")
    return identifier(f"dbname='{escaped}'")
