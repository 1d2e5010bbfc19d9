"""The secret key: made once, adopted from the old runtime, replaced without logging anybody out."""

import json
from dataclasses import replace

from nuages.charm import secret_key
from nuages.charm.facts import Content, Peer, SecretKey
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


def test_rotation_of_three_units_never_signs_what_another_refuses() -> None:
    units = ("notes/0", "notes/1", "notes/2")
    content: Content = {"value": "k0"}
    applied: dict[str, Content] = dict.fromkeys(units, content)
    bags: dict[str, dict[str, str]] = {unit: {} for unit in units}
    keys = iter(f"k{number}" for number in range(1, 99))

    def consistent() -> None:
        for one in units:
            for other in units:
                assert applied[one]["value"] in accepted(applied[other]), (one, other, applied)

    for rotation in range(3):
        peer = Peer(1, BAG, {unit: bags[unit] for unit in units[1:]})
        seen = replace(facts(), key=SecretKey(content, KEY.id))
        content = secret_key.rotate(seen, peer, content, next(keys), f"t{rotation}").content
        for unit in ("notes/2", "notes/0", "notes/1", "notes/0", "notes/1", "notes/2", "notes/0", "notes/1", "notes/2"):
            applied[unit] = content
            consistent()
            others = {other: bags[other] for other in units if other != unit}
            now = facts(unit=unit, leader=unit == "notes/0", key=SecretKey(content, KEY.id), peer=Peer(1, BAG, others))
            writes, promotion = secret_key.acknowledge(now)
            for write in writes:
                bags[unit].update(write.data)
            if promotion is not None:
                content = promotion.content
        assert content["value"] == f"k{rotation + 1}"
        assert all(applied[unit] == content for unit in units)


def test_rotation_waits_for_a_unit_that_has_not_said_that_it_accepts_the_key() -> None:
    content = {"value": "k0", "next": "k1", "rotation": "t"}
    silent = Peer(1, BAG, {"notes/1": {secret_key.STATE: "t"}, "notes/2": {}})
    assert secret_key.acknowledge(facts(key=SecretKey(content, KEY.id), peer=silent))[1] is None
