"""The key that Django signs with: an application-owned Juju secret, made by the leader, replaced in two phases.

The secret holds `value` and, while or after a rotation, `next` and `previous`. Phase one hands `next` to every unit as
a fallback, so that whatever one unit signs with it later, all others already accept. When every unit has said so in
its peer bag, the leader makes it `value` and keeps the old one as `previous`.
"""

import json

from nuages.charm import statuses
from nuages.charm.facts import Content, Facts, Peer
from nuages.charm.plan import BagWrite, SecretWrite
from nuages.charm.statuses import Status
from nuages.charm.variables import Variable
from nuages.contract.row import NamedTuple

LABEL = "django-secret-key"
ORIGIN = "the application's own secret"
ID = "secret-key-id"
"""Key of the peer application bag: the secret's URI."""
STATE = "secret-key-state"
"""Key of the peer application bag that changes with the secret, and of a unit's bag: the rotation it accepts."""
PLAIN = "django_secret_key"
"""Key of the peer application bag in which paas-charm keeps the key itself."""


class Decision(NamedTuple):
    """The variables, or why there are none."""

    variables: tuple[Variable, ...] = ()
    write: SecretWrite | None = None
    waiting: Status | None = None


def decide(facts: Facts, explicit: Variable | None) -> Decision:
    """Return the key's variables, and the secret to make if there is none. An option wins over the secret."""
    if explicit is not None:
        return Decision((explicit,))
    peer, content = facts.peer, facts.key.content
    write: SecretWrite | None = None
    if peer is not None and facts.leader and content is None and facts.key.fresh:
        content = {"value": peer.bag.get(PLAIN) or facts.key.fresh}
        write = SecretWrite(content, "", facts.peer_endpoint, peer.id, "made")
    elif peer is not None and facts.leader and content is not None and peer.bag.get(ID) != facts.key.id:
        write = SecretWrite(content, facts.key.id, facts.peer_endpoint, peer.id, peer.bag.get(STATE, "made"))
    elif peer is not None and content is None and peer.bag.get(PLAIN) and ID not in peer.bag:
        content = {"value": peer.bag[PLAIN]}  # the leader is of paas-charm still, which makes no secret
    if peer is None:
        return Decision(waiting=statuses.WAITING_PEER())
    if content is None or not content.get("value"):
        return Decision(waiting=statuses.WAITING_KEY())
    return Decision(variables(content), write)


def variables(content: Content) -> tuple[Variable, ...]:
    """Return DJANGO_SECRET_KEY and, with a rotation under way or behind, DJANGO_SECRET_KEY_FALLBACKS."""
    key = Variable("DJANGO_SECRET_KEY", content["value"], ORIGIN, secret=True)
    fallbacks = [content[name] for name in ("next", "previous") if content.get(name)]
    if not fallbacks:
        return (key,)
    return (key, Variable("DJANGO_SECRET_KEY_FALLBACKS", json.dumps(fallbacks), ORIGIN, secret=True))


def rotate(facts: Facts, peer: Peer, content: Content, key: str, token: str) -> SecretWrite:
    """Begin a rotation to `key`; a unit alone has nobody to wait for and finishes it at once.

    A rotation that is under way starts anew with this key.
    """
    if not peer.units:
        alone = {"value": key, "previous": content["value"]}
        return SecretWrite(alone, facts.key.id, facts.peer_endpoint, peer.id, f"{token}:done")
    kept = {name: content[name] for name in ("value", "previous") if content.get(name)}
    begun = {**kept, "next": key, "rotation": token}
    return SecretWrite(begun, facts.key.id, facts.peer_endpoint, peer.id, f"{token}:next")


def _leave_plain(facts: Facts, peer: Peer) -> tuple[BagWrite, ...]:
    if PLAIN not in peer.bag or not peer.bag.get(ID):
        return ()
    if not facts.leader:
        return (BagWrite(facts.peer_endpoint, peer.id, "unit", {STATE: peer.bag.get(STATE, "")}),)
    if all(bag.get(STATE) for bag in peer.units.values()):
        return (BagWrite(facts.peer_endpoint, peer.id, "app", {PLAIN: ""}),)
    return ()


def acknowledge(facts: Facts) -> tuple[tuple[BagWrite, ...], SecretWrite | None]:
    """Go on with a rotation, once this unit's services run with the next key as a fallback.

    Returns what this unit says about it, and, for the leader whose units have all said so, the promotion. Likewise
    with the plain key of paas-charm: it goes when every unit has said that it has read the secret.
    """
    peer, content = facts.peer, facts.key.content
    if peer is None or content is None:
        return (), None
    if not content.get("next") or not content.get("rotation"):
        return _leave_plain(facts, peer), None
    token = content["rotation"]
    if facts.leader and all(bag.get(STATE) == token for bag in peer.units.values()):
        promoted = {"value": content["next"], "previous": content["value"]}
        return (), SecretWrite(promoted, facts.key.id, facts.peer_endpoint, peer.id, f"{token}:done")
    return (BagWrite(facts.peer_endpoint, peer.id, "unit", {STATE: token}),), None
