"""The secret key: made once, adopted from the old runtime, replaced without logging anybody out."""

import itertools
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm import secret_key
from nuages.charm.facts import Content, Facts, Peer, SecretKey
from nuages.charm.plan import SecretWrite
from nuages.charm.variables import Variable
from tests.charm.made import KEY, facts

BAG = {secret_key.ID: KEY.id}


def test_leader_makes_a_key_and_uses_it_at_once() -> None:
    decision = secret_key.decide(facts(key=SecretKey(fresh="new"), peer=Peer(1, {}, {})), None)
    assert decision.write is not None
    assert dict(decision.write.content) == {"value": "new"}
    assert decision.variables[0].value == "new"
    assert decision.variables[0].secret


def test_plain_key_in_the_peer_relation_is_adopted() -> None:
    peer = Peer(1, {"django_secret_key": "old"}, {})
    decision = secret_key.decide(facts(key=SecretKey(fresh="new"), peer=peer), None)
    assert decision.variables[0].value == "old"


def test_unit_beside_a_leader_of_the_old_runtime_uses_its_plain_key_and_writes_nothing() -> None:
    found = facts(leader=False, key=SecretKey(), peer=Peer(1, {"django_secret_key": "old"}, {}))
    decision = secret_key.decide(found, None)
    assert [variable.value for variable in decision.variables] == ["old"]
    assert decision.write is None
    assert secret_key.acknowledge(found) == ((), None)


def test_plain_key_goes_when_every_unit_has_read_the_secret() -> None:
    bag = {**BAG, "django_secret_key": "old", secret_key.STATE: "made"}
    waiting = facts(peer=Peer(1, bag, {"notes/1": {secret_key.STATE: "made"}, "notes/2": {}}))
    assert secret_key.acknowledge(waiting) == ((), None)
    (said,), _ = secret_key.acknowledge(facts(leader=False, peer=Peer(1, bag, {})))
    assert (said.scope, dict(said.data)) == ("unit", {secret_key.STATE: "made"})
    all_said = facts(peer=Peer(1, bag, {"notes/1": said.data, "notes/2": said.data}))
    (gone,), promotion = secret_key.acknowledge(all_said)
    assert (gone.scope, dict(gone.data), promotion) == ("app", {"django_secret_key": ""}, None)


def test_without_a_plain_key_nobody_says_anything_about_the_secret() -> None:
    for leader in (True, False):
        assert secret_key.acknowledge(facts(leader=leader, peer=Peer(1, BAG, {"notes/1": {}}))) == ((), None)


def test_secret_found_by_its_label_is_named_to_the_others_unchanged() -> None:
    decision = secret_key.decide(facts(peer=Peer(1, {}, {})), None)
    assert decision.write is not None
    assert (decision.write.content, decision.write.id) == (KEY.content, KEY.id)


def test_another_unit_waits_for_the_leader() -> None:
    decision = secret_key.decide(facts(leader=False, key=SecretKey(), peer=Peer(1, {}, {})), None)
    assert decision.waiting is not None
    assert decision.variables == ()


def test_option_wins_and_nothing_is_made() -> None:
    explicit = Variable("DJANGO_SECRET_KEY", "mine", "option django-secret-key", secret=True)
    decision = secret_key.decide(facts(key=SecretKey(fresh="new"), peer=Peer(1, {}, {})), explicit)
    assert decision == secret_key.Decision((explicit,))


def test_unit_alone_finishes_a_rotation_at_once() -> None:
    assert KEY.content is not None
    write = secret_key.rotate(facts(), Peer(1, BAG, {}), KEY.content, "new", "t1")
    assert dict(write.content) == {"value": "new", "previous": "the-secret-key"}


def accepted(content: Content) -> set[str]:
    """Return the keys with which a unit with this content checks what was signed."""
    found = {variable.name: variable.value for variable in secret_key.variables(content)}
    return {found["DJANGO_SECRET_KEY"], *json.loads(found.get("DJANGO_SECRET_KEY_FALLBACKS", "[]"))}


class Application:
    """Units that run hooks in any order, each with the key that its service runs with."""

    def __init__(self, count: int, bag: dict[str, str]) -> None:
        self.content: Content | None = None
        self.bag = dict(bag)
        self.bags: dict[str, dict[str, str]] = {f"notes/{number}": {} for number in range(count)}
        self.applied: dict[str, Content] = {}
        self.leader = "notes/0"
        self.keys = (f"k{number}" for number in itertools.count(1))

    def facts(self, unit: str) -> Facts:
        others = {other: bag for other, bag in self.bags.items() if other != unit}
        uri = KEY.id if self.content is not None else ""
        leader = unit == self.leader
        # Only a unit that has been told of the secret can ask for it; the leader finds it by its label.
        known = self.content if leader or self.bag.get(secret_key.ID) else None
        key = SecretKey(known, uri, fresh=next(self.keys) if leader and known is None else "")
        return facts(unit=unit, leader=leader, key=key, peer=Peer(1, dict(self.bag), others))

    def write(self, write: SecretWrite) -> None:
        self.content = write.content
        self.bag.update({secret_key.ID: write.id or KEY.id, secret_key.STATE: write.state})

    def hook(self, unit: str) -> None:
        """Run a hook: as the charm does, in rounds, until there is nothing more to do."""
        for _ in range(6):
            now = self.facts(unit)
            decision = secret_key.decide(now, None)
            if decision.write is not None:
                self.write(decision.write)
                continue
            if decision.waiting is not None:
                return
            served = now.key.content or {"value": self.bag[secret_key.PLAIN]}
            changed = self.applied.get(unit) != served
            self.applied[unit] = served
            self.consistent()
            if changed:
                continue
            writes, promotion = secret_key.acknowledge(now)
            for write in writes:
                target = self.bags[unit] if write.scope == "unit" else self.bag
                target.update({key: value for key, value in write.data.items() if value})
                for key in [key for key, value in write.data.items() if not value]:
                    target.pop(key, None)
            if promotion is None:
                return
            self.write(promotion)

    def rotate(self) -> None:
        """Run the action on the leader, once it serves; as the action does, it reconciles afterwards."""
        now = self.facts(self.leader)
        if self.leader in self.applied and now.peer is not None and now.key.content is not None and now.key.id:
            key = next(self.keys)
            self.write(secret_key.rotate(now, now.peer, now.key.content, key, f"t{key}"))
            self.hook(self.leader)

    def consistent(self) -> None:
        for one, other in itertools.permutations(self.applied, 2):
            signs = self.applied[one]["value"]
            assert signs in accepted(self.applied[other]), (one, other, self.applied)

    def settle(self) -> None:
        for _ in range(10):
            before = (self.content, dict(self.bag), {unit: dict(bag) for unit, bag in self.bags.items()})
            for unit in sorted(self.bags):
                self.hook(unit)
            if before == (self.content, self.bag, self.bags):
                return
        raise AssertionError("the units never settle")


PAAS_CHARM = {secret_key.PLAIN: "k0"}


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_whatever_the_order_of_events_no_unit_signs_what_another_refuses(data: st.DataObject) -> None:
    app = Application(data.draw(st.integers(1, 4)), data.draw(st.sampled_from([{}, PAAS_CHARM])))
    for _ in range(data.draw(st.integers(0, 30))):
        unit = data.draw(st.sampled_from(sorted(app.bags)))
        match data.draw(
            st.sampled_from(["hook", "hook", "hook", "hook", "rotate", "lead", "add", "remove", "replace"])
        ):
            case "hook":
                app.hook(unit)
            case "rotate":
                app.rotate()
            case "lead":
                app.leader = unit
            case "add":
                added = f"notes/{max(int(name.rpartition('/')[2]) for name in app.bags) + 1}"
                app.bags[added] = {}
            case "remove" if unit != app.leader:
                del app.bags[unit]
                app.applied.pop(unit, None)
            case "replace":  # the pod: its service is gone, its bag is not
                app.applied.pop(unit, None)
            case _:
                pass
    app.settle()
    assert app.content is not None
    assert not app.content.get("next"), "the rotation never ends"
    assert all(app.applied[unit] == app.content for unit in app.bags)
    assert secret_key.PLAIN not in app.bag, "the plain key stays in the relation's data"


def test_three_rotations_of_three_units_keep_one_previous_key() -> None:
    app = Application(3, PAAS_CHARM)
    app.settle()
    assert app.content == {"value": "k0"}, "an upgrade logs nobody out"
    for _ in range(3):
        before = dict(app.content or {})
        app.rotate()
        app.settle()
        now = dict(app.content or {})
        assert now["previous"] == before["value"]
        assert now.keys() == {"value", "previous"}


def test_the_plain_key_stays_until_every_unit_has_read_the_secret() -> None:
    app = Application(3, PAAS_CHARM)
    for unit in ("notes/0", "notes/1", "notes/0"):
        app.hook(unit)
        assert app.bag[secret_key.PLAIN] == "k0"
    app.hook("notes/2")
    app.hook("notes/0")
    assert secret_key.PLAIN not in app.bag


def test_rotation_waits_for_a_unit_that_has_not_said_that_it_accepts_the_key() -> None:
    content = {"value": "k0", "next": "k1", "rotation": "t"}
    silent = Peer(1, BAG, {"notes/1": {secret_key.STATE: "t"}, "notes/2": {}})
    assert secret_key.acknowledge(facts(key=SecretKey(content, KEY.id), peer=silent))[1] is None
