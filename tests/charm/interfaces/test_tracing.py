"""Tracing: only a receiver of the protocol that we asked for is of use."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm.interfaces import tracing
from nuages.charm.interfaces.base import NotReady
from tests.charm.interfaces.examples import THOROUGH, example, parse
from tests.charm.interfaces.hostile import check
from tests.charm.made import facts

GRPC = {"protocol": {"name": "otlp_grpc", "type": "grpc"}, "url": "tempo:4317"}


@pytest.mark.parametrize(
    ("receivers", "reason"),
    [
        ("", "no receivers yet"),
        ("{", "its receivers are not JSON"),
        ("{}", "its receivers are no list"),
        ("[]", "no receiver for otlp_http yet"),
        (json.dumps([GRPC]), "no receiver for otlp_http yet"),
        (json.dumps([{"protocol": {"name": "otlp_http"}, "url": "tempo:4318"}]), "no receiver for otlp_http yet"),
        ('[{"protocol": "otlp_http", "url": "http://a"}, 3, null]', "no receiver for otlp_http yet"),
    ],
)
def test_not_ready_because(receivers: str, reason: str) -> None:
    assert parse(example("tracing", bag={"receivers": receivers})) == NotReady(reason)


def test_variables_are_opentelemetrys_whatever_the_endpoint_is_called() -> None:
    relation = example("tracing", endpoint="spans")
    value = tracing.settle(facts(), relation, parse(relation))
    assert not isinstance(value, NotReady)
    assert {variable.name: variable.value for variable in value.variables} == {
        "OTEL_SERVICE_NAME": "notes",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://tempo.mymodel.svc.cluster.local:4318/",
    }


@THOROUGH
def test_what_comes_in_comes_out(examples: int) -> None:
    hosts = st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z]{2,6})?", fullmatch=True)
    paths = st.from_regex(r"/[!-~]{0,20}", fullmatch=True)

    @settings(max_examples=examples, deadline=None)
    @given(st.sampled_from(["http", "https"]), hosts, st.integers(1, 65535), paths)
    def holds(scheme: str, host: str, port: int, path: str) -> None:
        url = f"{scheme}://{host}:{port}{path}"
        receivers = [GRPC, {"protocol": {"name": "otlp_http", "type": "http"}, "url": url}]
        value = parse(example("tracing", bag={"receivers": json.dumps(receivers)}))
        assert isinstance(value, tracing.Collector)
        assert value.url == url

    holds()


@THOROUGH
def test_nothing_in_a_databag_raises(examples: int) -> None:
    check("tracing", ("receivers",), examples)
