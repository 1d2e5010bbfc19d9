"""Users, virtual hosts and permissions of the broker: what there is, and the Erlang that makes it what is wanted. Pure.

The functions called are RabbitMQ's own (rabbit_auth_backend_internal, rabbit_vhost), those behind `rabbitmqctl`, which
takes a second to start; `erl_call` takes ten milliseconds.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nuages.services.driver import ServiceError

DONE = "done"
"""What a script prints when all of it has happened."""
ADMINISTRATOR = "administrator"
_RELATION = "relation-"
_BY = '<<"nuages">>'
_OTHER = "guest"
"""Whom RabbitMQ makes on an empty disk: an administrator with a known password."""

QUERY = """
io:put_chars(rabbit_json:encode(#{
  users => [#{name => internal_user:get_username(U), tags => internal_user:get_tags(U),
              hash => base64:encode(internal_user:get_password_hash(U))}
            || U <- rabbit_auth_backend_internal:all_users()],
  vhosts => rabbit_vhost:list_names(),
  permissions => [[proplists:get_value(user, P), proplists:get_value(vhost, P)]
                  || P <- rabbit_auth_backend_internal:list_permissions()],
  disk => rabbit_disk_monitor:get_disk_free_limit()})).
"""


@dataclass(frozen=True)
class User:
    """A user that is to exist, who may do everything in some virtual hosts and nothing elsewhere."""

    name: str
    password: str
    vhosts: tuple[str, ...]
    tag: str = ""


@dataclass(frozen=True)
class Account:
    """A user that exists: its salted hash and its tags."""

    hash: bytes
    tags: tuple[str, ...]

    def admits(self, password: str) -> bool:
        """Tell whether the password is this user's."""
        return _hashed(password, self.hash[:4]) == self.hash


@dataclass(frozen=True)
class Existing:
    """What the broker has now."""

    users: Mapping[str, Account]
    vhosts: frozenset[str]
    permissions: frozenset[tuple[str, str]]
    disk: int
    """Free bytes below which the broker takes no more messages."""

    @classmethod
    def parse(cls, output: str) -> Existing:
        """Read what `QUERY` has printed.

        Raises:
            ServiceError: it has printed something else.
        """
        try:
            document: Any = json.loads(output)
            return cls(
                {
                    str(user["name"]): Account(base64.b64decode(user["hash"]), tuple(str(tag) for tag in user["tags"]))
                    for user in document["users"]
                },
                frozenset(map(str, document["vhosts"])),
                frozenset((str(user), str(vhost)) for user, vhost in document["permissions"]),
                int(document["disk"]),
            )
        except (ValueError, LookupError, TypeError) as error:
            raise ServiceError(f"cannot read RabbitMQ's users: {error}") from None


def script(wanted: Sequence[User], existing: Existing, *, disk: int, salt: bytes) -> str:
    """Return the Erlang that makes users, virtual hosts and permissions as wanted; "" when they are so already.

    Users of relations that are not wanted go, others stay; a virtual host and the messages in it always stay. An
    administrator may use every virtual host.
    """
    words: list[str] = []
    asked = _distinct(vhost for user in wanted for vhost in user.vhosts)
    if existing.disk != disk:
        words.append(f"rabbit_disk_monitor:set_disk_free_limit({disk})")
    words += _hosts(asked, existing)
    names = {user.name for user in wanted}
    for name, account in sorted(existing.users.items()):
        if name not in names and (name == _OTHER or any(tag.startswith(_RELATION) for tag in account.tags)):
            words.append(f"rabbit_auth_backend_internal:delete_user({binary(name)}, {_BY})")
    for user in wanted:
        everywhere = user.tag == ADMINISTRATOR
        vhosts = tuple(sorted(existing.vhosts.union(asked))) if everywhere else user.vhosts
        words += _made(user, vhosts, existing, salt)
        for name, vhost in sorted(existing.permissions):
            if name == user.name and vhost not in vhosts:
                words.append(
                    f"ok = rabbit_auth_backend_internal:clear_permissions({binary(name)}, {binary(vhost)}, {_BY})"
                )
    return guarded(words) if words else ""


def addition(user: User, existing: Existing, *, salt: bytes) -> str:
    """Return the Erlang that makes one user and its virtual hosts; what else it may do already, it still may."""
    words = [*_hosts(user.vhosts, existing), *_made(user, user.vhosts, existing, salt)]
    return guarded(words) if words else ""


def _hosts(vhosts: Iterable[str], existing: Existing) -> list[str]:
    return [f"ok = rabbit_vhost:add({binary(vhost)}, {_BY})" for vhost in vhosts if vhost not in existing.vhosts]


def _made(user: User, vhosts: Iterable[str], existing: Existing, salt: bytes) -> list[str]:
    words: list[str] = []
    account = existing.users.get(user.name)
    if account is None or not account.admits(user.password) or account.tags != ((user.tag,) if user.tag else ()):
        digest = base64.b64encode(_hashed(user.password, salt)).decode()
        words.append(
            f"rabbit_auth_backend_internal:put_user(#{{name => {binary(user.name)}, "
            f'password_hash => <<"{digest}">>, tags => {binary(user.tag)}}}, {_BY})'
        )
    everything = ", ".join(['<<".*">>'] * 3)
    return words + [
        f"ok = rabbit_auth_backend_internal:set_permissions({binary(user.name)}, {binary(vhost)}, {everything}, {_BY})"
        for vhost in vhosts
        if (user.name, vhost) not in existing.permissions
    ]


def guarded(words: Sequence[str]) -> str:
    """Return expressions as one that prints DONE when all have succeeded, else why not; `erl_call` tells it not."""
    joined = ",\n".join([*words, f'io:put_chars("{DONE}")'])
    failed = 'io:put_chars(io_lib:format("~p: ~0P", [C, R, 12]))'
    return f"try\n{joined}\ncatch C:R -> {failed} end.\n"


def previous(users: Iterable[tuple[str, str, float]]) -> str:
    """Return the file of passwords before the present ones, each with its user and the second at which it ends."""
    lines = (
        f'{{{binary(name)}, <<"{hashlib.sha256(password.encode()).hexdigest()}">>, {int(until)}}}.\n'
        for name, password, until in users
    )
    return "".join(lines)


def binary(text: str) -> str:
    """Return a text as an Erlang binary; byte by byte, so that there is nothing to quote."""
    return f"<<{','.join(map(str, text.encode()))}>>"


def string(text: str) -> str:
    """Return a text as an Erlang string, which is a list of characters."""
    return f"[{','.join(str(ord(letter)) for letter in text)}]"


def _hashed(password: str, salt: bytes) -> bytes:
    """Return what RabbitMQ keeps of a password (rabbit_password_hashing_sha256): four bytes of salt, and the hash."""
    return salt + hashlib.sha256(salt + password.encode()).digest()


def _distinct(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
