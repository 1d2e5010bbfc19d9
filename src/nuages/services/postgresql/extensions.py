"""Extensions that an option puts into every database: `plugin_hstore_enable`, as Charmhub's charm names them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from nuages.services.postgresql.roles import connection, identifier

NAMES = (
    "bloom",
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "dict_int",
    "dict_xsyn",
    "earthdistance",
    "fuzzystrmatch",
    "hstore",
    "insert_username",
    "intarray",
    "isn",
    "lo",
    "ltree",
    "moddatetime",
    "pg_freespacemap",
    "pg_trgm",
    "pg_visibility",
    "pgrowlocks",
    "pgstattuple",
    "refint",
    "seg",
    "tablefunc",
    "tcn",
    "tsm_system_rows",
    "tsm_system_time",
    "unaccent",
    "vector",
)
"""Those of Charmhub's options that this server has."""

OPTIONS: Mapping[str, Any] = {
    f"plugin_{name}_enable": {
        "type": "boolean",
        "default": False,
        "description": f"Put the extension {name} into every database.",
    }
    for name in NAMES
}


def wanted(config: Mapping[str, Any]) -> frozenset[str]:
    """Return the extensions whose option is set."""
    return frozenset(name for name in NAMES if config.get(f"plugin_{name}_enable"))


def script(databases: Collection[str], enabled: Collection[str], before: Collection[str]) -> str:
    """Return the psql script that puts `enabled` into the databases and takes out the rest of `before`; "" for nothing.

    What an application made by itself stays: only what an option had put there (`before`) is taken out, and only when
    nothing depends on it.
    """
    gone = sorted(set(before).difference(enabled))
    if not enabled and not gone:
        return ""
    lines: list[str] = ["SET client_min_messages = warning;"]
    for database in sorted(databases):
        lines.append(f"\\connect {connection(database)}")
        lines.append("SET client_min_messages = warning;")
        lines += [f"CREATE EXTENSION IF NOT EXISTS {identifier(name)} CASCADE;" for name in sorted(enabled)]
        lines += [f"DROP EXTENSION IF EXISTS {identifier(name)};" for name in gone]
    return "".join(f"{line}\n" for line in lines)
