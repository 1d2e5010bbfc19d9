"""Redis: a host and a port, from whichever unit has them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.connection import parse_url

from nuages.charm.interfaces import redis
from nuages.charm.interfaces.base import NotReady
from tests.charm.interfaces.examples import THOROUGH, example, parse, variables


def url(units: dict[str, Any], leader: str = "") -> str:
    relation = example("redis", bag={"leader-host": leader} if leader else {}, units=units)
    return variables(relation)["REDIS_DB_CONNECT_STRING"]


def test_units_in_the_order_of_their_numbers_whatever_the_order_they_come_in() -> None:
    units = {f"other/{number}": {"hostname": f"10.0.0.{number}", "port": "6379"} for number in (10, 9, 11)}
    assert url(units) == "redis://10.0.0.9:6379"
    assert url(dict(reversed(units.items()))) == "redis://10.0.0.9:6379"


def test_first_unit_that_is_complete() -> None:
    units = {"other/0": {"hostname": "10.0.0.1"}, "other/1": {"hostname": "10.0.0.2", "port": "6379"}}
    assert url(units) == "redis://10.0.0.2:6379"


def test_leader_s_host_with_any_port() -> None:
    assert url({"other/0": {"port": "6379"}}, leader="primary") == "redis://primary:6379"


def test_address_of_version_6() -> None:
    assert url({"other/0": {"hostname": "2001:db8::1", "port": "6379"}}) == "redis://[2001:db8::1]:6379"


@pytest.mark.parametrize(
    "unit",
    [
        {},
        {"port": "6379"},
        {"hostname": "host"},
        {"hostname": "None", "port": "6379"},
        {"hostname": "host", "port": "None"},
        {"hostname": "a b", "port": "6379"},
        {"hostname": "a:1", "port": "x"},
        {"hostname": "host", "port": "²"},
    ],
)
def test_half_an_answer_is_waited_for(unit: dict[str, str]) -> None:
    assert parse(example("redis", bag={}, units={"other/0": unit})) == NotReady("no host and port yet")


@THOROUGH
def test_what_comes_in_comes_out_of_the_client(examples: int) -> None:
    hosts = st.ip_addresses().map(str) | st.from_regex(
        r"[a-z][a-z0-9-]{0,20}(\.[a-z][a-z0-9]{0,9}){0,3}", fullmatch=True
    )

    @settings(max_examples=examples, deadline=None)
    @given(hosts, st.integers(1, 65535))
    def holds(host: str, port: int) -> None:
        parts: dict[str, Any] = parse_url(url({"other/0": {"hostname": host, "port": str(port)}}))
        assert (parts["host"], parts["port"]) == (host, port)

    holds()


@THOROUGH
def test_nothing_in_a_databag_raises(examples: int) -> None:
    words = st.text() | st.sampled_from(["None", "6379", "::1", "[::1]", "a:1", "host", "[", "\0"])
    bags = st.dictionaries(st.sampled_from(["hostname", "port", "leader-host"]), words)

    @settings(max_examples=examples, deadline=None)
    @given(bags, st.dictionaries(st.text(), bags))
    def holds(bag: dict[str, str], units: dict[str, dict[str, str]]) -> None:
        value = redis.parse(example("redis", bag=bag, units=units))
        if not isinstance(value, NotReady):
            found = {variable.name: variable.value for variable in value.variables}
            assert found["REDIS_DB_HOSTNAME"]
            assert found["REDIS_DB_PORT"].isdecimal()

    holds()
