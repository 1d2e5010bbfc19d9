"""Who may use the proxy and where to: the two files that Squid's helpers read. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from nuages.services.passwords import Passwords
from nuages.services.squid.answer import Place, Request


@dataclass(frozen=True)
class Member:
    """A request that is granted, and the passwords of its user, if it has one."""

    request: Request
    passwords: Passwords | None


def users(members: Sequence[Member]) -> str:
    """Return lines of `user digest until`: the SHA-256 of a password, and the second at which it ends (0: never)."""
    lines: list[str] = []
    for member in members:
        if pair := member.passwords:
            name = member.request.user
            lines.append(f"{name} {_digest(pair.present)} 0\n")
            lines += [f"{name} {_digest(one.password)} {int(one.until)}\n" for one in pair.earlier]
    return "".join(lines)


def rules(members: Sequence[Member], private: Sequence[Place]) -> str:
    """Return lines of `user source host port`, each a way that is open; `-` and `*` stand for any.

    A request that names no hosts may also go to the private ones that the operator permits.
    """
    lines: list[str] = []
    for member in members:
        request = member.request
        everywhere = any(place.host == "*" for place in request.places)
        for place in sorted({*request.places, *(private if everywhere else ())}):
            for source in request.sources or ("-",):
                lines.append(f"{request.user or '-'} {source} {place.host} {place.port}\n")
    return "".join(lines)


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
