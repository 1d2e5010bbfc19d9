"""Users and databases of MariaDB: what there is, what there should be, and the SQL between the two. Pure.

Only hashes of passwords are ever in a statement. A user may have two at a time: while a password changes, the one
before serves too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

PREFIX = "relation-"
ROOT, CONFIG, ADMIN = "root", "serverconfig", "clusteradmin"
SYSTEM = (ROOT, CONFIG, ADMIN)
"""The users that `get-password` of Charmhub's mysql-k8s knows."""
_LOCAL = frozenset({ROOT})
"""Those that come by the socket only, as there."""

ROLES: Mapping[str, str] = {
    "mysqlrouter": "ALL PRIVILEGES ON *.* WITH GRANT OPTION",
    "charmed_router": "ALL PRIVILEGES ON *.* WITH GRANT OPTION",
    "charmed_read": "SELECT, SHOW VIEW, LOCK TABLES ON *.*",
    "charmed_dml": "SELECT, INSERT, UPDATE, DELETE, SHOW VIEW, LOCK TABLES, EXECUTE ON *.*",
    "charmed_ddl": (
        "SELECT, INSERT, UPDATE, DELETE, SHOW VIEW, LOCK TABLES, EXECUTE, ALTER, ALTER ROUTINE, CREATE, "
        "CREATE ROUTINE, CREATE VIEW, DROP, EVENT, INDEX, REFERENCES, TRIGGER ON *.*"
    ),
    "charmed_dba": "ALL PRIVILEGES ON *.*",
    "charmed_stats": "PROCESS, RELOAD, BINLOG MONITOR, SELECT ON *.*",
}
"""Values of `extra-user-roles` that Charmhub's mysql-k8s knows, and what each may do, in the words of GRANT.

There they are roles of the server (from revision 284 on; `mysqlrouter` before too), and whoever asks for one has
nothing besides: no rights on the database that it named but those of the role.
"""
_WITHOUT_DATABASE = frozenset({"mysqlrouter", "charmed_router"})

QUERY = """
SELECT 'user', User, Priv FROM mysql.global_priv WHERE Host IN ('%', 'localhost');
SELECT 'grant', User, Db FROM mysql.db WHERE Host = '%';
SELECT 'database', schema_name, '' FROM information_schema.schemata;
SELECT 'version', VERSION(), '';
"""
"""Prints what `Existing.parse` reads."""
_HASH = re.compile(r"\*[0-9A-F]{40}")


@dataclass(frozen=True)
class User:
    """A user that should be: of a relation, or (without a database) of the system."""

    name: str
    hashes: tuple[str, ...]
    database: str = ""
    roles: frozenset[str] = frozenset()

    @property
    def host(self) -> str:
        """Return where it may come from."""
        return "localhost" if self.name in _LOCAL else "%"

    @property
    def makes_database(self) -> bool:
        """Tell whether the database is made for it."""
        return bool(self.database) and not self.roles & _WITHOUT_DATABASE


@dataclass(frozen=True)
class Existing:
    """What the server has."""

    users: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Name to hashes."""
    grants: frozenset[tuple[str, str]] = frozenset()
    """User and pattern of databases."""
    databases: frozenset[str] = frozenset()
    version: str = ""

    @classmethod
    def parse(cls, text: str) -> Existing:
        """Return what `QUERY` printed."""
        rows = [line.split("\t") for line in text.splitlines()]
        return cls(
            {name: frozenset(_HASH.findall(rest)) for kind, name, rest in rows if kind == "user"},
            # The client doubles the backslash of a pattern.
            frozenset((name, rest.replace("\\\\", "\\")) for kind, name, rest in rows if kind == "grant"),
            frozenset(name for kind, name, _ in rows if kind == "database"),
            "".join(name for kind, name, _ in rows if kind == "version"),
        )


def user_of(relation: int, model_uuid: str) -> str:
    """Return the name of a relation's user, as Charmhub's mysql-k8s makes it."""
    return f"{PREFIX}{relation}_{model_uuid.replace('-', '')}"[:26]


def hashed(password: str) -> str:
    """Return what the server stores for a password (mysql_native_password), so that no SQL ever holds it."""
    inner = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return f"*{hashlib.sha1(inner, usedforsecurity=False).hexdigest().upper()}"


def script(wanted: Sequence[User], existing: Existing, keep: Collection[str]) -> str:
    """Return the SQL that makes the wanted users and databases and removes relations' users that are not in `keep`.

    Empty when all is as wanted. Running it again after it stopped half way is harmless. Databases stay.
    """
    lines: list[str] = []
    for database in dict.fromkeys(user.database for user in wanted if user.makes_database):
        if database not in existing.databases:
            lines.append(f"CREATE DATABASE {identifier(database)};")
    for user in wanted:
        lines += _user(user, existing)
    for name in sorted(existing.users):
        if name.startswith(PREFIX) and name not in keep:
            lines += (f"DROP USER {account(name, '%')};", f"KILL USER {literal(name)};")
    return "".join(f"{line}\n" for line in lines)


def _user(user: User, existing: Existing) -> Iterator[str]:
    whom = account(user.name, user.host)
    ways = [f"mysql_native_password USING {literal(word)}" for word in user.hashes]
    if user.name in _LOCAL:
        ways.append("unix_socket")  # the container's root needs no password
    has = existing.users.get(user.name)
    # Who has no way in has not got its rights yet: root from the beginning, others when this stopped half way.
    new = not has
    if has is None:
        yield f"CREATE USER {whom} IDENTIFIED VIA mysql_native_password USING 'invalid';"
    if not user.database:
        if new:
            yield f"GRANT ALL PRIVILEGES ON *.* TO {whom} WITH GRANT OPTION;"
    elif not user.roles:
        if (user.name, pattern(user.database)) not in existing.grants:
            yield f"GRANT ALL PRIVILEGES ON {identifier(pattern(user.database))}.* TO {whom};"
    elif new:
        for role in sorted(user.roles):
            what, _, option = ROLES[role].partition(" WITH ")
            yield f"GRANT {what} TO {whom}{f' WITH {option}' if option else ''};"
    if has != frozenset(user.hashes):
        yield f"ALTER USER {whom} IDENTIFIED VIA {' OR '.join(ways)};"


def pattern(database: str) -> str:
    r"""Return the pattern of GRANT that is this database only (`my_app` → `my\_app`: `_` would be any letter)."""
    return database.replace("_", "\\_")


def account(name: str, host: str) -> str:
    """Return an account quoted for SQL."""
    return f"{literal(name)}@{literal(host)}"


def identifier(name: str) -> str:
    """Return a name quoted for SQL."""
    doubled = name.replace("`", "``")
    return f"`{doubled}`"


def literal(text: str) -> str:
    """Return a string quoted for SQL."""
    doubled = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"
