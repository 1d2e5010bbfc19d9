"""RabbitMQ: on Kubernetes the application answers, on machines each unit."""

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm import urls
from nuages.charm.facts import Option
from nuages.charm.interfaces import rabbitmq
from nuages.charm.interfaces.base import NotReady, Publication
from tests.charm.interfaces.examples import THOROUGH, example, parse, variables
from tests.charm.made import facts


def test_units_matter_only_where_the_application_says_nothing() -> None:
    assert not rabbitmq.reads_units({"hostname": "h", "password": "p"})
    assert rabbitmq.reads_units({})
    assert rabbitmq.reads_units({"hostname": "h"})


def test_order_does_not_follow_the_hook_tools() -> None:
    units = {f"other/{number}": {"hostname": f"10.0.0.{number}", "password": "p"} for number in (10, 2, 1)}
    found = variables(example("rabbitmq", bag={}, units=units))
    assert found["RABBITMQ_HOSTNAME"] == "10.0.0.1"
    assert found["RABBITMQ_CONNECT_STRINGS"].split(",")[2] == "amqp://myapp:p@10.0.0.10:5672/%2F"


def test_address_of_version_6() -> None:
    found = variables(example("rabbitmq", bag={"hostname": "2001:db8::1", "password": "p"}))
    assert found["RABBITMQ_CONNECT_STRING"] == "amqp://myapp:p@[2001:db8::1]:5672/%2F"
    assert found["RABBITMQ_HOSTNAME"] == "2001:db8::1"


def test_endpoint_of_another_name_gives_its_prefix() -> None:
    found = variables(example("rabbitmq", endpoint="event-bus"))
    assert found["EVENT_BUS_VHOST"] == "/"
    assert not any(name.startswith("RABBITMQ") for name in found)


@pytest.mark.parametrize("bag", [{}, {"hostname": "h"}, {"password": "p"}, {"hostname": "", "password": "p"}])
def test_half_an_answer_is_waited_for(bag: dict[str, str]) -> None:
    relation = example("rabbitmq", bag=bag, units={"other/0": bag})
    assert parse(relation) == NotReady("no hostname and password yet")


def settled(endpoint: str = "rabbitmq", **config: str) -> rabbitmq.Broker | NotReady:
    names = {name.replace("_", "-"): value for name, value in config.items()}
    relation = example("rabbitmq", endpoint=endpoint)
    value = rabbitmq.settle(facts(config=names), relation, parse(relation))
    assert isinstance(value, rabbitmq.Broker | NotReady)
    return value


def asked(endpoint: str = "rabbitmq", **config: str) -> Publication:
    names = {name.replace("_", "-"): value for name, value in config.items()}
    declared = tuple(Option(name, "string") for name in names)
    return rabbitmq.publish(facts(config=names, options=declared), example("rabbitmq", endpoint=endpoint), "")


@pytest.mark.parametrize(("vhost", "path"), [("notes", "/notes"), ("blogs/ä b", "/blogs%2F%C3%A4%20b"), ("/", "/%2F")])
def test_the_option_asks_for_a_virtual_host_and_the_application_is_told(vhost: str, path: str) -> None:
    value = settled(rabbitmq_vhost=vhost)
    assert isinstance(value, rabbitmq.Broker)
    found = {variable.name: variable.value for variable in value.variables}
    assert (found["RABBITMQ_VHOST"], found["RABBITMQ_PATH"]) == (vhost, path)
    assert found["RABBITMQ_CONNECT_STRING"].endswith(f":5672{path}")
    assert asked(rabbitmq_vhost=vhost) == Publication({"username": "notes", "vhost": vhost}, once=False)


def test_without_the_option_or_a_value_it_is_the_contracts() -> None:
    assert asked() == Publication({"username": "notes", "vhost": "/"}, once=True)
    assert asked(rabbitmq_vhost="") == Publication({"username": "notes", "vhost": "/"}, once=False)
    assert asked("event-bus", rabbitmq_vhost="notes").app["vhost"] == "/"
    assert asked("event-bus", event_bus_vhost="notes").app["vhost"] == "notes"


@pytest.mark.parametrize("vhost", ["a\nb", "\ud800", "ä" * 128])
def test_what_is_no_name_is_not_asked_for(vhost: str) -> None:
    said = "rabbitmq-vhost can be no virtual host's name"
    assert settled(rabbitmq_vhost=vhost) == NotReady(said, "juju config notes rabbitmq-vhost=notes")
    assert asked(rabbitmq_vhost=vhost) == Publication()


@THOROUGH
def test_what_comes_in_comes_out(examples: int) -> None:
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
    units = st.lists(st.tuples(st.ip_addresses().map(str), text), min_size=1, max_size=4)

    @settings(max_examples=examples, deadline=None)
    @given(units)
    def holds(pairs: list[tuple[str, str]]) -> None:
        bags = {f"other/{n}": {"hostname": host, "password": password} for n, (host, password) in enumerate(pairs)}
        found = variables(example("rabbitmq", bag={}, units=bags))
        for part, (host, password) in zip(found["RABBITMQ_CONNECT_STRINGS"].split(","), pairs, strict=True):
            url = urls.parse(part)
            assert (url.hostname, url.port, url.username) == (host.lower(), "5672", "myapp")
            assert unquote(url.password or "") == password
            assert unquote(url.name or "") == found["RABBITMQ_VHOST"]
        assert found["RABBITMQ_CONNECT_STRING"] == found["RABBITMQ_CONNECT_STRINGS"].split(",")[0]

    holds()


@THOROUGH
def test_nothing_in_a_databag_raises(examples: int) -> None:
    words = st.text() | st.sampled_from(["None", "::1", "[::1]", "a:1", "host", "[", "\0", "\ud800"])
    bags = st.dictionaries(st.sampled_from(["hostname", "password", "username"]), words)

    @settings(max_examples=examples, deadline=None)
    @given(bags, st.dictionaries(st.text(), bags))
    def holds(bag: dict[str, str], units: dict[str, Any]) -> None:
        rabbitmq.reads_units(bag)
        value = rabbitmq.parse(example("rabbitmq", bag=bag, units=units))
        assert isinstance(value, NotReady) or value.variables

    holds()
