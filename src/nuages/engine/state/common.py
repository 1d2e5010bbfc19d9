"""What all entities are made of: names of units, statuses, and copies of mappings with one thing changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

K = TypeVar("K")
V = TypeVar("V")
Life = Literal["alive", "dying"]
Bag = Mapping[str, str]


def put(mapping: Mapping[K, V], key: K, value: V) -> dict[K, V]:
    """Return a copy of the mapping with the key set."""
    return {**mapping, key: value}


def drop(mapping: Mapping[K, V], key: K) -> dict[K, V]:
    """Return a copy of the mapping without the key."""
    return {k: v for k, v in mapping.items() if k != key}


def unit_application(unit: str) -> str:
    """Return `notes` for `notes/0`."""
    return unit.partition("/")[0]


def unit_ordinal(unit: str) -> int:
    """Return 0 for `notes/0`."""
    return int(unit.partition("/")[2])


def unit_key(unit: str) -> tuple[str, int]:
    """Sort key: by application, then by number."""
    return unit_application(unit), unit_ordinal(unit)


@dataclass(frozen=True)
class Status:
    """A workload, application or agent status, and since when (seconds since the epoch)."""

    status: str = "unknown"
    message: str = ""
    since: float = 0.0
