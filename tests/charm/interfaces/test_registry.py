"""Every interface at once: whatever the other side writes, nothing raises and every variable can be one."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm.facts import Relation
from nuages.charm.interfaces import BY_NAME, REGISTRY, integrations, usable
from nuages.charm.interfaces.base import NotReady
from nuages.contract import endpoints
from tests.charm.interfaces.examples import NAMES, THOROUGH, example
from tests.charm.made import URI, facts

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
