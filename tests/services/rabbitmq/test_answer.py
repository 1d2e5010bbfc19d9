from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.charm.interfaces import rabbitmq as charm_side
from nuages.charm.interfaces.base import NotReady
from nuages.services.driver import Refused
from nuages.services.rabbitmq import SERVICE, answer, disk_limit
from nuages.services.rabbitmq.answer import Request
from tests.charm.interfaces.examples import example


def test_the_answer_is_charmhubs() -> None:
    # The provider's databag of relation interface rabbitmq, as rabbitmq-k8s writes it.
    said = answer.answer("rabbitmq-k8s", "mymodel", "pw")
    assert dict(said.databag) == {"hostname": "rabbitmq-k8s-endpoints.mymodel.svc.cluster.local", "password": "pw"}
    assert dict(said.secrets) == {}


def test_a_request() -> None:
    bag = {"username": "myapp", "vhost": "/", "external_connectivity": "false"}
    assert answer.parse(3, "myapp", bag, {}) == Request(3, "myapp", "/")
    assert Request(3, "myapp", "/").tag == "relation-3"


@pytest.mark.parametrize("bag", [{}, {"username": "a"}, {"vhost": "/"}, {"username": "", "vhost": "/"}])
def test_who_has_not_asked_gets_nothing(bag: dict[str, str]) -> None:
    assert answer.parse(3, "myapp", bag, {}) is None


@pytest.mark.parametrize(
    ("user", "vhost", "reason"),
    [
        ("operator", "/", "myapp asks for the user operator, who is the broker's own"),
        ("guest", "/", "the broker's own"),
        ("blog", "/", "myapp asks for the user blog, who is other's"),
        ("a\nb", "/", "a user whose name cannot be"),
        ("a", "x" * 256, "a virtual host whose name cannot be"),
    ],
)
def test_what_cannot_be_is_refused(user: str, vhost: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        answer.parse(3, "myapp", {"username": user, "vhost": vhost}, {"blog": "other"})


def test_our_own_charm_reads_it() -> None:
    said = answer.answer("rabbitmq-k8s", "mymodel", "pw")
    value = charm_side.parse(example("rabbitmq", bag=dict(said.databag)))
    assert not isinstance(value, NotReady), value
    found = {variable.name: variable.value for variable in value.variables}
    user = found["RABBITMQ_USERNAME"]
    url = f"amqp://{user}:pw@rabbitmq-k8s-endpoints.mymodel.svc.cluster.local:5672/%2F"
    assert (found["RABBITMQ_CONNECT_STRING"], found["RABBITMQ_CONNECT_STRINGS"]) == (url, url)
    assert (found["RABBITMQ_VHOST"], found["RABBITMQ_PORT"]) == ("/", "5672")


def test_the_name_in_the_answer_is_one_that_the_application_has() -> None:
    names = [alias.format(application="rabbitmq-k8s") for alias in SERVICE.aliases]
    assert answer.answer("rabbitmq-k8s", "m", "pw").databag["hostname"].split(".")[0] in names


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("auto", 50_000_000),
        ("1000", 1000),
        ("500M", 500_000_000),
        ("500MB", 500_000_000),
        ("5 Gi", 5 << 30),
        ("5TB", 5 * 10**12),
        ("7k", 7000),
    ],
)
def test_limits_of_the_disk(text: str, size: int) -> None:
    assert disk_limit(text) == size


@given(st.text())
def test_any_limit_is_read_or_refused(text: str) -> None:
    try:
        assert disk_limit(text) > 0
    except Refused as error:
        assert "disk-free-limit-bytes is" in str(error)


WORDS: Any = st.text(max_size=300)


@given(WORDS, WORDS)
def test_any_names_are_taken_or_refused(user: str, vhost: str) -> None:
    try:
        found = answer.parse(1, "x", {"username": user, "vhost": vhost}, {})
    except Refused:
        return
    assert (found is None) == (not user or not vhost)
