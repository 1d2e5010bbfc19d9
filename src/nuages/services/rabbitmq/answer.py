"""From a requirer's databag to the provider's, on the interface rabbitmq. Pure.

The shape is that of charm-rabbitmq-k8s (its library charms.rabbitmq_k8s.v0.rabbitmq): the requirer names its user and
its virtual host, the provider answers with a host name and a password; the port is 5672 always.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nuages.services.driver import Answer, Refused

ENDPOINT = "amqp"
PASSWORD = "password"  # noqa: S105  # a key
OPERATOR = "operator"
"""The administrator, whom Charmhub's charm calls so too."""
_RESERVED = frozenset((OPERATOR, "guest"))
_LONGEST = 255
"""Bytes of a short string in AMQP."""


@dataclass(frozen=True)
class Request:
    """The user that a requirer asks for, and the virtual host it is to use."""

    relation: int
    user: str
    vhost: str

    @property
    def tag(self) -> str:
        """Return what marks the user in the broker as this relation's."""
        return f"relation-{self.relation}"


def parse(relation: int, requirer: str, bag: Mapping[str, str], taken: Mapping[str, str]) -> Request | None:
    """Return what the application `requirer` asks for; None while it has not asked.

    `taken` says whose a user is already.

    Raises:
        Refused: a name cannot be, or is another's.
    """
    user, vhost = bag.get("username", ""), bag.get("vhost", "")
    if not user or not vhost:
        return None
    for what, name in (("user", user), ("virtual host", vhost)):
        if not name.isprintable() or len(name.encode(errors="replace")) > _LONGEST:
            raise Refused(f"{requirer} asks for a {what} whose name cannot be: {name!r:.60}")
    if user in _RESERVED:
        raise Refused(f"{requirer} asks for the user {user}, who is the broker's own")
    if user in taken:
        raise Refused(f"{requirer} asks for the user {user}, who is {taken[user]}'s")
    return Request(relation, user, vhost)


def answer(application: str, model: str, password: str) -> Answer:
    """Return what the provider says of a user that exists."""
    return Answer({"hostname": f"{application}-endpoints.{model}.svc.cluster.local", PASSWORD: password})
