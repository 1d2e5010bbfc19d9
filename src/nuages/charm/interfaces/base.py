"""What the modules of this package have in common: one record each, with the same four things."""

import json
from collections.abc import Callable, Mapping
from typing import Protocol, cast

from nuages.charm.facts import Bag, Facts, Relation
from nuages.charm.plan import File
from nuages.charm.variables import Variable
from nuages.contract.row import NamedTuple


class Value(Protocol):
    """What a complete databag says, typed."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """What the application gets to see of it."""
        ...


class NotReady(NamedTuple):
    """The other side has not said everything yet."""

    reason: str
    """Goes on after `waiting for APPLICATION:`."""
    fix: str = ""
    """What to type, when waiting does not help: the unit is then blocked."""
    partial: Value | None = None
    """What is known already; an endpoint that is optional makes do with it."""


class Publication(NamedTuple):
    """What we write for the other side."""

    app: Mapping[str, str] = {}
    """Written by the leader alone."""
    unit: Mapping[str, str] = {}
    once: bool = True
    """Leave keys alone that are there already: the other side may have acted upon them."""


class Interface(NamedTuple):
    """One relation interface."""

    name: str
    provider: str
    """An application that usually provides it, for the command that a status names."""
    publish: Callable[[Facts, Relation, str], Publication]
    """What we publish; the text is the application's public URL."""
    parse: Callable[[Relation], Value | NotReady]
    """How a remote databag becomes a typed value or `not ready, because`; the value knows its variables."""
    settle: Callable[[Facts, Relation, Value | NotReady], Value | NotReady] = lambda _facts, _relation, value: value
    """What our own side adds to what was parsed, or lacks for it: options, the application's name, another relation."""
    several: bool = False
    """Whether all relations of an endpoint count: nothing in them becomes a variable, of which there is one only."""
    follows_url: bool = False
    """Whether what we publish depends on the public URL, and is published anew when a route comes or goes."""
    database: bool = False
    """What missing means, besides the rule for `optional`: Django must have one database."""
    reads_units: Callable[[Bag], bool] = lambda _bag: False
    """Whether the remote units' bags matter, given the application's."""
    secrets: Callable[[Bag], tuple[str, ...]] = lambda bag: tuple(
        value for value in bag.values() if value.startswith("secret:")
    )
    """The URIs of the secrets that a bag names."""
    files: Callable[[Value], tuple[File, ...]] = lambda _value: ()
    """Files for the container; the path differs with the content and stands in a variable, so a change is noticed."""
    log_targets: Callable[[Facts, Relation], Mapping[str, Mapping[str, object]]] = lambda _facts, _relation: {}
    """Pebble's log targets by name, as its plan writes them; one that is no longer named here is silenced."""


def nothing(_facts: Facts, _relation: Relation, _url: str) -> Publication:
    """Publish nothing: joining is the request."""
    return Publication()


def decoded(text: str) -> object:
    """Return what a text of JSON says; None when it is none, whatever is wrong with it."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def records(text: str) -> list[Bag]:
    """Return the objects of a JSON list, each with its fields that are texts; none of a text that is anything else."""
    found = decoded(text)
    items = cast("list[object]", found) if isinstance(found, list) else []
    return [
        {key: value for key, value in cast("Mapping[str, object]", item).items() if isinstance(value, str)}
        for item in items
        if isinstance(item, dict)
    ]


def identity(facts: Facts, relation: Relation) -> str:
    """Return 64 hexadecimal digits for a request: the same for one relation always, whichever leader writes it."""
    import hashlib  # not needed once there is an answer, and slow to import

    return hashlib.sha256(f"{facts.model_uuid}:{facts.app}:{relation.id}".encode()).hexdigest()


def by_number(units: Mapping[str, Bag]) -> list[tuple[str, Bag]]:
    """Return units in the order of their numbers: hook tools list them in any order, and what follows must not vary."""
    return sorted(units.items(), key=lambda unit: (len(unit[0]), unit[0]))


def no_secrets(_bag: Bag) -> tuple[str, ...]:
    """No secret is to be read."""
    return ()
