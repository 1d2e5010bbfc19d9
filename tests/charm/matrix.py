"""Cases for the matrix: which relation is how complete, at which event, on which unit; and their pairwise array."""

import dataclasses
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ops
from ops import pebble, testing

from nuages.charm.converge import CHECK, GATE, OPEN
from nuages.charm.interfaces import REGISTRY
from nuages.charm.statuses import CONDITIONS, Condition
from nuages.contract import endpoints
from tests.charm import providers
from tests.charm.conftest import NotesCharm, charm_documents, container, peer

Context = testing.Context[NotesCharm]

SPOKEN = tuple(interface.name for interface in REGISTRY)
MODEL = testing.Model(name="shop", uuid="4d2a3c8e-0f4c-4b9e-8b1a-3f5f6d7e8c9a", type="kubernetes")
KEY = testing.Secret(
    {"value": "q4rLywnWk35Kh1G1or_UHIqYOkeK1XDBS_oCLpmzPer8A3pECdvBGTuiT8gBQyFn"},
    id=providers.secret("9", 9),
    owner="app",
    label="django-secret-key",
)
DATABASE = "postgresql_client"
FIRST = 20
"""The number of the first relation that a case makes; others follow."""

LIFECYCLE = ("install", "start", "config_changed", "leader_elected", "upgrade_charm", "update_status", "pebble_ready",
             "stop")  # fmt: skip
RELATION: Mapping[str, tuple[str, ...]] = {
    "absent": (),
    "empty": ("relation_created", "relation_joined", "relation_changed"),
    "partial": ("relation_changed", "relation_departed"),
    "full": ("relation_joined", "relation_changed", "relation_departed", "relation_broken"),
}
"""By level, the relation's own events that find it so."""
OTHERS = ("secret_changed", "pebble_custom_notice", "pebble_check_failed", "remove", "peer_relation_changed")


@dataclasses.dataclass(frozen=True)
class Case:
    """One run of the charm."""

    levels: tuple[tuple[str, str], ...]
    """By interface, how much the other side has said."""
    event: str
    leader: bool
    reachable: bool
    of: str = ""
    """The interface that a relation's event is about."""

    def __str__(self) -> str:
        said = ", ".join(f"{interface} {level}" for interface, level in self.levels if level != "absent")
        unit = f"{'leader' if self.leader else 'follower'}, container {'up' if self.reachable else 'down'}"
        return f"{self.event}{' of ' + self.of if self.of else ''} with {said or 'nothing'} on a {unit}"


def charmcraft(interfaces: Sequence[str], *, optional: bool) -> str:
    """Return a charm with an endpoint for each of the interfaces that its developer has to name."""
    lines = [
        f"  {providers.endpoint_of(name)}: {{interface: {name}, optional: {str(optional).lower()}, limit: 1}}"
        for name in interfaces
        if not endpoints.BY_NAME[name].contributed
    ]
    if not any(endpoints.BY_NAME[name].database for name in interfaces):
        lines.append("  postgresql: {interface: postgresql_client, optional: false, limit: 1}")
    requires = "\n".join(lines)
    return f"""\
name: notes
type: charm
summary: Notes
description: Notes
base: ubuntu@24.04
platforms:
  amd64:
extensions: [django-framework]
requires:
{requires}
"""


def context(directory: Path, interfaces: Sequence[str], *, optional: bool) -> Context:
    """Return the charm with these interfaces under test."""
    found = charm_documents(directory, charmcraft(interfaces, optional=optional))
    return testing.Context(
        NotesCharm, meta=found["metadata"], config=found["config"], actions=found["actions"], juju_version="3.6.9"
    )


def alone(interface: str) -> Iterator[Case]:
    """Yield every case of one interface."""
    for level, leader, reachable in itertools.product(providers.LEVELS, (True, False), (True, False)):
        for event in LIFECYCLE:
            if possible(event, leader, reachable):
                yield Case(((interface, level),), event, leader, reachable)
        for event in RELATION[level]:
            yield Case(((interface, level),), event, leader, reachable, interface)


def possible(event: str, leader: bool, reachable: bool) -> bool:
    """Whether Juju can send it to such a unit."""
    return not (event == "leader_elected" and not leader) and not (event.startswith("pebble") and not reachable)


def together(interfaces: Sequence[str]) -> Iterator[Case]:
    """Yield cases in which every two levels, and every level and event, meet."""
    relation = sorted({event for events in RELATION.values() for event in events})
    factors: dict[str, Sequence[Any]] = dict.fromkeys(interfaces, providers.LEVELS)
    factors |= {"event": (*LIFECYCLE, *OTHERS, *relation), "leader": (True, False), "reachable": (True, False)}
    for number, row in enumerate(pairwise(factors)):
        event, leader, reachable = row.pop("event"), row.pop("leader"), row.pop("reachable")
        present = [name for name in interfaces if row[name] != "absent"]
        levels = tuple(row.items())
        if event in relation and present:
            yield Case(levels, event, leader, reachable, present[number % len(present)])
        else:
            fits = possible(event, leader, reachable) and event not in relation
            yield Case(levels, event if fits else "config_changed", leader, reachable)


def pairwise(factors: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return rows in which every two values of any two factors meet: greedily, and the same ones each time."""
    names = list(factors)
    left = {
        (first, a, second, b): None
        for first, second in itertools.combinations(names, 2)
        for a in factors[first]
        for b in factors[second]
    }
    rows: list[dict[str, Any]] = []
    while left:
        first, a, second, b = next(iter(left))
        row: dict[str, Any] = {first: a, second: b}
        for name in names:
            if name not in row:
                row[name] = max(
                    factors[name], key=lambda value: sum(met in left for met in _met(names, row, name, value))
                )
        for one, other in itertools.combinations(names, 2):
            left.pop((one, row[one], other, row[other]), None)
        rows.append({name: row[name] for name in names})
    return rows


def _met(names: list[str], row: Mapping[str, Any], name: str, value: Any) -> Iterator[tuple[str, Any, str, Any]]:
    for other, chosen in row.items():
        if names.index(other) < names.index(name):
            yield other, chosen, name, value
        else:
            yield name, value, other, chosen


def state(case: Case) -> testing.State:
    """Return what the unit finds: a container as it is when it is new, or one that cannot be reached."""
    relations: set[testing.RelationBase] = set()
    secrets = {KEY}
    levels = dict(case.levels)
    if not any(endpoints.BY_NAME[name].database for name in levels):
        levels[DATABASE] = "full"
    for number, (interface, level) in enumerate(levels.items(), FIRST):
        if level != "absent":
            relations.add(providers.relation(interface, level, number))
            granted = case.leader or level != "partial"  # a follower may meet an answer before its grant
            secrets |= providers.secrets(interface, level) if granted else set()
    databases = sorted(
        f"{each.endpoint}:{each.id}:notes"
        for each in relations
        if any(endpoints.BY_NAME[name].database and providers.endpoint_of(name) == each.endpoint for name in levels)
    )
    board = json.dumps({"version": 1, "done": [["r1", " ".join(databases)]]})
    relations.add(peer({"secret-key-id": KEY.id, "migration": board}, {1: {}}))
    return testing.State(
        leader=case.leader,
        model=MODEL,
        relations=relations,
        secrets=secrets,
        containers={_container(case)},
    )


def settled(charm: Context, case: Case, files: Path) -> testing.State:
    """Return what the unit finds after its charm has come to work once; what it wrote into the container stays."""
    before = dataclasses.replace(state(case), containers={container(files)})
    after = charm.run(charm.on.pebble_ready(before.get_container("django-app")), before)
    return dataclasses.replace(after, containers={_for(case, after.get_container("django-app"))})


def _container(case: Case) -> testing.Container:
    return _for(case, container(reachable=case.reachable))


def _for(case: Case, found: testing.Container) -> testing.Container:
    """Return the container with what the event is about."""
    if case.event == "pebble_custom_notice":
        return dataclasses.replace(found, notices=[testing.Notice("nuages.charm/migration")])
    if case.event == "pebble_check_failed":
        check = dict(OPEN)
        info = testing.CheckInfo(
            CHECK, level=pebble.CheckLevel.READY, threshold=1, failures=1, status=pebble.CheckStatus.DOWN
        )
        layers = {**found.layers, GATE: pebble.Layer({"checks": {CHECK: check}})}  # type: ignore[typeddict-item]
        return dataclasses.replace(found, layers=layers, check_infos=frozenset({info}))
    return found


def run(charm: Context, case: Case, before: testing.State) -> testing.State:
    """Send the case's event to the unit."""
    on = charm.on
    box = before.get_container("django-app")
    if case.of:
        found = next(each for each in before.relations if each.endpoint == providers.endpoint_of(case.of))
        event = getattr(on, case.event)(found)
    elif case.event == "secret_changed":
        granted = sorted((each for each in before.secrets if each.owner is None), key=lambda each: each.id)
        event = on.secret_changed(granted[0]) if granted else on.config_changed()
    elif case.event == "peer_relation_changed":
        event = on.relation_changed(next(each for each in before.relations if each.endpoint == "secret-storage"))
    elif case.event == "pebble_custom_notice":
        event = on.pebble_custom_notice(box, box.notices[0])
    elif case.event == "pebble_check_failed":
        event = on.pebble_check_failed(box, next(iter(box.check_infos)))
    elif case.event == "pebble_ready":
        event = on.pebble_ready(box)
    else:
        event = getattr(on, case.event)()
    return charm.run(event, before)


def condition(status: ops.StatusBase) -> Condition | None:
    """Return the row of the table of statuses that a status comes from; None when there is none."""
    return next(
        (row for row in CONDITIONS if row.level == status.name and _pattern(row).fullmatch(status.message)), None
    )


def _pattern(row: Condition) -> re.Pattern[str]:
    """Return what a row's texts look like; a text that was too long may end anywhere after its first words."""
    parts = re.split(r"\{\w+\}", row.text)
    head = re.escape(parts[0])
    whole = ".*".join(map(re.escape, parts))
    cut = head + ".*…"
    tail = ": " + ".*".join(map(re.escape, re.split(r"\{\w+\}", row.command))) if row.command else ""
    return re.compile(f"(?:{whole}|{cut}){tail}", re.DOTALL)
