"""Replicas of PostgreSQL: units other than 0 that stream from it, each by a slot of its own. Pure.

The primary makes a slot for each other unit and says it in the peer databag, with a token. A replica whose data have
another token copies the primary afresh: its slot is a new one, so what it has may be too old to go on from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from nuages.services.postgresql.roles import identifier, literal

PEERS = "database-peers"
SLOTS = "slots"
"""The key of the peer databag: a JSON mapping of slot to token."""
USER = "replication"
LAG = "1GB"
"""How far a replica may fall behind before its slot is given up, and it has to copy afresh."""

QUERY = """
SELECT json_build_object(
  'verifier', (SELECT rolpassword FROM pg_authid WHERE rolname = 'replication'),
  'slots', (SELECT coalesce(json_object_agg(slot_name, coalesce(wal_status, 'lost')), '{}') FROM pg_replication_slots
            WHERE slot_name ~ '^unit_[0-9]+$'));
"""
STREAMS = "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming';"


@dataclass(frozen=True)
class Existing:
    """What the primary has: the verifier of the replicas' user, and each slot's state."""

    verifier: str
    slots: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Existing:
        """Return what `QUERY` printed."""
        document = cast("dict[str, Any]", json.loads(text))
        return cls(document["verifier"] or "", document["slots"])


def slot(unit: str) -> str:
    """Return the slot of a unit: `unit_1` of `postgresql-k8s/1`."""
    return f"unit_{unit.partition('/')[2]}"


def tokens(text: str) -> dict[str, str]:
    """Return what the peer databag says of the slots."""
    return cast("dict[str, str]", json.loads(text)) if text else {}


def plan(
    units: Collection[str], existing: Existing, kept: Mapping[str, str], verifier: str, new: Callable[[], str]
) -> tuple[str, dict[str, str]]:
    """Return the psql script that makes the replicas' user and slots as `units` need them, and each slot's token.

    Args:
        units: the other units.
        existing: what the server has.
        kept: the tokens until now.
        verifier: stands for the password of the replicas' user.
        new: makes a token.
    """
    wanted = {slot(unit) for unit in units}
    lines: list[str] = []
    if wanted and not existing.verifier:
        lines.append(f"CREATE ROLE {identifier(USER)} LOGIN REPLICATION PASSWORD {literal(verifier)};")
    elif wanted and existing.verifier != verifier:
        lines.append(f"ALTER ROLE {identifier(USER)} PASSWORD {literal(verifier)};")
    good = {name for name, state in existing.slots.items() if name in wanted and state != "lost"}
    for name in sorted(existing.slots.keys() - good):
        quoted = literal(name)
        lines += [
            f"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = {quoted} AND active;",  # noqa: S608  # quoted
            # The session that was ended may hold it for another moment.
            f"DO $$BEGIN FOR i IN 1..50 LOOP BEGIN PERFORM pg_drop_replication_slot({quoted}); EXIT;"
            " EXCEPTION WHEN object_in_use THEN PERFORM pg_sleep(0.1); END; END LOOP; END$$;",
        ]
    lines += [f"SELECT pg_create_physical_replication_slot({literal(name)}, true);" for name in sorted(wanted - good)]
    told = {name: kept[name] if name in good and name in kept else new() for name in sorted(wanted)}
    return "".join(f"{line}\n" for line in lines), told
