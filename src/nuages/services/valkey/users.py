"""Valkey's users as the lines of an ACL file. Pure.

Passwords are there as hashes only; the file replaces all users at once (`ACL LOAD`), and connections stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

CONTROL = "nuages"
"""The user by which we ask the server; its password is in the data's own folder."""
OPERATOR = "charmed-operator"
STATS = "charmed-stats"
SYSTEM = (
    OPERATOR,
    "charmed-replication",
    STATS,
    "charmed-sentinel-operator",
    "charmed-sentinel-valkey",
    "charmed-sentinel-peers",
)
"""The names that the option `system-users` of Charmhub's valkey knows."""
MADE = (OPERATOR, STATS)
"""Those that there are here: one server replicates nothing, and its Sentinel is asked by our own user."""

EVERYTHING = "~* &* +@all"
SENTINEL_CLIENT = (
    "-@all +auth +client +command +hello +ping +role +sentinel|get-master-addr-by-name +sentinel|master "
    "+sentinel|masters +sentinel|replicas +sentinel|sentinels"
)
"""What a requirer may ask Sentinel (as Charmhub's valkey grants it)."""
_STATS = (
    "-@all +@connection +info +config|get +client +memory +latency +slowlog +scan +type +xinfo +xlen +strlen +llen "
    "+scard +zcard +hlen +pfcount ~*"
)


@dataclass(frozen=True)
class User:
    """A user: any of its passwords lets it in; without one it needs none."""

    name: str
    passwords: tuple[str, ...]
    rules: str = EVERYTHING


def system(name: str, password: str) -> User:
    """Return one of `MADE`."""
    return User(name, (password,), _STATS if name == STATS else EVERYTHING)


def client(name: str, passwords: tuple[str, ...], resource: str) -> User:
    """Return a requirer's user: keys and channels that match the glob `resource`, as Charmhub's valkey grants them.

    Of `@connection` only PING, and no `@scripting`: SELECT and EVAL are refused there, hence here.
    """
    return User(
        name,
        passwords,
        f"-@all +@read +@write +@keyspace +@pubsub +@transaction +info +ping +role ~{resource} &{resource}",
    )


def acl(users: Iterable[User]) -> str:
    """Return the text of an ACL file with these users; the default user is off unless it is one of them."""
    lines = {user.name: f"user {user.name} on {_keys(user)} {user.rules}\n" for user in users}
    return "".join(({"default": "user default off\n"} | lines).values())


def _keys(user: User) -> str:
    return " ".join(f"#{hashlib.sha256(word.encode()).hexdigest()}" for word in user.passwords) or "nopass"
