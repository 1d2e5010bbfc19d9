"""Every interface at once: whatever the other side writes, nothing raises and every variable can be one."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm.decide import decide, variables_of
from nuages.charm.facts import Endpoint, Facts, Relation
from nuages.charm.interfaces import BY_NAME, REGISTRY, integrations, usable
from nuages.charm.interfaces.base import NotReady
from nuages.charm.options import read
from nuages.contract import endpoints
from tests.charm.interfaces.examples import NAMES, THOROUGH, example
from tests.charm.made import DATABASE, INGRESS, URI, facts

KEYS = sorted({key for name in NAMES for part in (example(name).bag, *example(name).units.values()) for key in part})
CONTENTS = sorted({key for name in NAMES for content in example(name).secrets.values() for key in content or {}})
VALUES = sorted({value for name in NAMES for value in example(name).bag.values()})

words = st.text() | st.sampled_from(
    [URI, "true", "null", "{}", "[{}]", '{"url": "http://a"}', "a:1,b:2", "http://[", "\0"]
)
bags = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), words | st.sampled_from(VALUES))


@THOROUGH
@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_nothing_in_a_databag_raises(name: str, examples: int) -> None:
    interface = BY_NAME[name]

    @settings(max_examples=examples // 4, deadline=None)
    @given(
        bags,
        st.dictionaries(st.text(), bags, max_size=2),
        st.none() | st.dictionaries(st.sampled_from(CONTENTS), words),
    )
    def holds(bag: Mapping[str, str], units: Mapping[str, Any], secret: Mapping[str, str] | None) -> None:
        interface.reads_units(bag)
        found = dict.fromkeys(interface.secrets(bag), secret)
        relation = Relation("x", name, 1, "other", bag, units, found, "notes")
        for each in integrations(facts(relations=(relation,))):
            known = each.value.partial if isinstance(each.value, NotReady) else each.value
            for variable in known.variables if known else ():
                assert b"\0" not in variable.value.encode()
                assert variable.name.isidentifier()

    holds()


def test_interfaces_are_the_contract_s() -> None:
    for interface in REGISTRY:
        known = endpoints.BY_NAME[interface.name]
        assert interface.database == known.database


def test_empty_relation_is_waited_for_or_has_no_variables() -> None:
    for interface in REGISTRY:
        value = interface.parse(Relation("x", interface.name, 1, "other", {}, {}, {}, "notes"))
        assert isinstance(value, NotReady) or not value.variables


def test_data_that_no_variable_can_hold_is_not_passed_on() -> None:
    for character in ("\0", "\ud800"):
        relation = example("s3", bag={"access-key": "a", "secret-key": character, "bucket": "b"})
        value = usable(BY_NAME["s3"].parse(relation))
        assert value == NotReady("its data holds a character that no variable can hold")


REQUIRED = [name for name, interface in BY_NAME.items() if endpoints.BY_NAME[name].role == "requires"]
FIRST = {example(name).interface: example(name) for name in reversed(NAMES)}


@pytest.mark.parametrize("name", REQUIRED)
def test_required_endpoint_blocks_without_a_relation_and_waits_for_its_answer(name: str) -> None:
    found = (*facts().endpoints, Endpoint("another", name, True))
    missing = decide(facts(endpoints=found)).status
    assert missing is not None
    assert missing.level == "blocked"
    assert f"juju integrate notes:another {BY_NAME[name].provider}" in missing.message
    empty = Relation("another", name, 8, "other", {}, {}, {}, "notes")
    waiting = decide(facts(endpoints=found, relations=(*facts().relations, empty))).status
    assert waiting is not None
    if isinstance(BY_NAME[name].parse(empty), NotReady):
        assert waiting.level in ("waiting", "blocked")


@pytest.mark.parametrize("name", REQUIRED)
def test_variables_go_with_the_relation(name: str) -> None:
    relation = FIRST[name]._replace(id=8)
    alone = facts(relations=(DATABASE._replace(endpoint="first"), INGRESS))
    related = facts(relations=(*alone.relations, relation))

    def variables(each: Facts) -> dict[str, str]:
        given = tuple(integrations(each))
        return {variable.name: variable.value for variable in variables_of(each, read(each), given, ())}

    before, after = variables(related), variables(alone)
    value = usable(BY_NAME[name].settle(related, relation, BY_NAME[name].parse(relation)))
    assert not isinstance(value, NotReady)
    ours = {variable.name: variable.value for variable in value.variables}
    assert ours.items() <= before.items()
    assert not ours.keys() & after.keys()
