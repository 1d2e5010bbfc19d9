"""The databag of openfga: golden, and read by the official library and our own charm."""

from __future__ import annotations

import hashlib
import json

import ops
import pytest
from charmlibs.interfaces.openfga import OpenFGARequires
from hypothesis import given
from hypothesis import strategies as st
from ops import testing

from nuages.charm.interfaces import openfga as charm_side
from nuages.charm.interfaces.base import NotReady
from nuages.services.driver import Refused
from nuages.services.openfga import server
from nuages.services.openfga.answer import answer, parse
from tests.charm.interfaces.examples import example
from tests.charm.made import facts

STORE = "01GK13VYZK62Q1T0X55Q2BHYD6"
GIVEN = answer("openfga-k8s", "mymodel", STORE, "tok")


def test_it_is_what_charmhubs_charm_says() -> None:
    assert GIVEN.databag == {
        "grpc_api_url": "http://openfga-k8s.mymodel:8081",
        "http_api_url": "http://openfga-k8s.mymodel:8080",
        "store_id": STORE,
    }
    assert GIVEN.secrets == {"token_secret_id": {"token": "tok"}}


def test_our_own_charm_reads_it() -> None:
    assert parse("myapp", charm_side.publish(facts(app="myapp"), example("openfga", bag={}), "").app) == "myapp"
    relation = example("openfga", bag={**GIVEN.databag, "token_secret_id": "secret:0"})
    value = charm_side.parse(relation._replace(secrets={"secret:0": dict(GIVEN.secrets["token_secret_id"])}))
    assert not isinstance(value, NotReady), value
    assert {variable.name: variable.value for variable in value.variables} == {
        "FGA_STORE_ID": STORE,
        "FGA_TOKEN": "tok",
        "FGA_GRPC_API_URL": "http://openfga-k8s.mymodel:8081",
        "FGA_HTTP_API_URL": "http://openfga-k8s.mymodel:8080",
    }


class Requirer(ops.CharmBase):
    """What the official library makes of a charm that asks for a store."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.openfga = OpenFGARequires(self, "myapp")


def test_the_official_requirer_library_asks_for_it_and_reads_it() -> None:
    context = testing.Context(Requirer, meta={"name": "myapp", "requires": {"openfga": {"interface": "openfga"}}})
    asking = testing.Relation("openfga")
    state = context.run(context.on.relation_created(asking), testing.State(leader=True, relations=[asking]))
    assert parse("myapp", state.get_relation(asking.id).local_app_data) == "myapp"
    secret = testing.Secret(tracked_content=dict(GIVEN.secrets["token_secret_id"]))
    told = testing.Relation("openfga", remote_app_data={**GIVEN.databag, "token_secret_id": secret.id})
    with context(context.on.update_status(), testing.State(relations=[told], secrets=[secret])) as manager:
        info = manager.charm.openfga.get_store_info()
    assert info is not None
    assert (info.store_id, info.token) == (STORE, "tok")
    assert info.http_api_url == "http://openfga-k8s.mymodel:8080"
    assert info.grpc_api_url == "http://openfga-k8s.mymodel:8081"


def test_nothing_is_asked_before_a_store_is_named() -> None:
    assert parse("notes", {}) == ""


@pytest.mark.parametrize("name", ["ab", "x" * 65, "né", "a;b;c", "a\nb\n"])
def test_a_name_that_openfga_refuses_is_refused_with_the_requirers(name: str) -> None:
    with pytest.raises(Refused, match=r"^notes asks for a store that cannot be named "):
        parse("notes", {"store_name": name})


def test_the_file_of_keys_has_hashes_and_joins_those_of_one_store() -> None:
    text = server.keys([("notes", ["one", "before"]), ("blog", ["two"]), ("notes", ["three"])])
    assert not [word for word in ("one", "before", "two", "three") if word in text]
    document = json.loads(text)
    assert sorted(document) == ["blog", "notes"]
    assert document["notes"] == sorted(hashlib.sha256(word).hexdigest() for word in (b"one", b"before", b"three"))


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.lists(st.text(max_size=5), max_size=3)), max_size=5))
def test_the_order_of_relations_does_not_change_the_file(stores: list[tuple[str, list[str]]]) -> None:
    assert server.keys(stores) == server.keys(reversed(stores))


@given(st.dictionaries(st.sampled_from(["store_name", "x"]), st.text(max_size=70)))
def test_any_databag_is_read_or_refused(bag: dict[str, str]) -> None:
    try:
        assert parse("notes", bag) in ("", bag.get("store_name"))
    except Refused as refusal:
        assert "\n" not in str(refusal)
