"""Databags that nobody should write, for every parser alike."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm.facts import Relation
from nuages.charm.interfaces import BY_NAME, usable
from nuages.charm.interfaces.base import NotReady
from tests.charm.made import INGRESS, facts

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
"""What a variable can hold."""

WORDS = (
    "",
    "null",
    "None",
    "[]",
    "{}",
    "secret:x",
    "http://[",
    "http://a",
    "https://É:x/",
    "[[",
    "\0",
    "\ud800",
    "9" * 9,
)


def json_texts() -> st.SearchStrategy[str]:
    """Return texts that are JSON of any form."""
    scalars = st.sampled_from([None, True, 3, 1.5, "", "http://a/b", "otlp_http", "\0", "\ud800"]) | st.text(max_size=6)
    keys = st.sampled_from(["url", "protocol", "name"])
    values = st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=5,
    )
    return values.map(json.dumps)


def check(interface: str, keys: Sequence[str], examples: int, also: Callable[[Relation], object] = repr) -> None:
    """Let an interface read databags of all kinds, of application and units: none raises, what comes out fits.

    `also` is called with each relation.
    """
    found = BY_NAME[interface]
    texts = st.text(max_size=10) | st.sampled_from(WORDS) | json_texts()
    bags = st.fixed_dictionaries({}, optional={**dict.fromkeys(keys, texts), "?": texts})
    contents = st.none() | st.dictionaries(st.sampled_from(["password", "token", "secret"]), st.text(max_size=6))

    @settings(max_examples=examples, deadline=None)
    @given(bags, st.dictionaries(st.sampled_from(["other/0", "other/10", ""]), bags, max_size=2), contents)
    def holds(bag: dict[str, str], units: dict[str, dict[str, str]], content: Any) -> None:
        found.reads_units(bag)
        relation = Relation("idp", interface, 3, "other", bag, units, dict.fromkeys(found.secrets(bag), content))
        ours = facts(relations=(INGRESS, relation))
        value = usable(found.settle(ours, relation, found.parse(relation)))
        known = value.partial if isinstance(value, NotReady) else value
        for variable in known.variables if known else ():
            assert "\0" not in variable.value + variable.name
            variable.value.encode()
        if isinstance(value, NotReady):
            assert value.reason
            assert len(value.reason) < 100
        publication = found.publish(ours, relation, "http://myapp.example/")
        json.dumps([publication.app, publication.unit]).encode()
        also(relation)

    holds()
