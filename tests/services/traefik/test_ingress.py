from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.services.driver import Refused
from nuages.services.traefik import ingress
from nuages.services.traefik.ingress import Gateway, Requirer

# The requirer's databags of reference/relation-interfaces.md 2.12.
APP = {"model": '"mymodel"', "name": '"myapp"', "port": "8000", "strip-prefix": "true", "is_port_open": "true"}
UNIT = {"host": '"myapp-0.myapp-endpoints.mymodel.svc.cluster.local"', "ip": '"10.1.20.9"'}
LOCAL = Gateway(8000)


def requirer(relation: int, name: str = "notes") -> Requirer:
    return Requirer(relation, "dev", name, 8000, (f"{name}-0",))


def test_the_references_databag_is_read() -> None:
    assert ingress.parse(4, "myapp", APP, [UNIT]) == Requirer(
        4, "mymodel", "myapp", 8000, ("myapp-0.myapp-endpoints.mymodel.svc.cluster.local",), strip_prefix=True
    )


def test_an_application_that_published_nothing_yet_is_not_ready() -> None:
    assert ingress.parse(4, "myapp", {}, [UNIT]) is None


def test_units_without_a_valid_host_are_left_out() -> None:
    units = [UNIT, {}, {"host": "null"}, {"host": "{"}, {"host": '"a`b"'}, {"host": '"myapp-1"'}]
    parsed = ingress.parse(4, "myapp", APP, units)
    assert parsed is not None
    assert parsed.hosts == ("myapp-0.myapp-endpoints.mymodel.svc.cluster.local", "myapp-1")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"port": '"8000"'}, "the port '8000'"),
        ({"port": "true"}, "the port True"),
        ({"port": "70000"}, "the port 70000"),
        ({"model": "7"}, "names no model and application"),
        ({"name": '"a`b"'}, "names no model and application"),
        ({"scheme": '"ftp"'}, "the scheme 'ftp'"),
        ({"port": "{"}, "the port None"),
        ({"port": "[" * 100_000}, "the port None"),
        ({"name": "{"}, "myapp: the ingress databag names no model and application: 'mymodel', None"),
    ],
)
def test_a_databag_not_of_the_interface_is_refused(change: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        ingress.parse(4, "myapp", APP | change, [UNIT])
    assert reason in str(refusal.value)


def test_health_checks_are_passed_on_without_what_traefik_would_choke_on() -> None:
    params = {"path": "/healthz", "interval": "5s", "timeout": "soon", "wat": 1}
    parsed = ingress.parse(4, "myapp", APP | {"healthcheck_params": json.dumps(params)}, [UNIT])
    assert parsed is not None
    assert parsed.health == {"path": "/healthz", "interval": "5s"}
    bad = {"path": "/\ud800", "interval": "9" * 20 + "s", "timeout": "[" * 100_000}
    parsed = ingress.parse(4, "myapp", APP | {"healthcheck_params": json.dumps(bad)}, [UNIT])
    assert parsed is not None
    assert parsed.health == {}


@given(st.dictionaries(st.sampled_from([*APP, "scheme", "healthcheck_params"]), st.text(max_size=12)))
def test_any_databag_is_read_refused_or_not_ready(app: dict[str, str]) -> None:
    try:
        parsed = ingress.parse(4, "myapp", APP | app, [UNIT])
    except Refused:
        return
    assert parsed is None or 0 < parsed.port < 65536


@given(st.lists(st.dictionaries(st.just("host"), st.one_of(st.text(max_size=8), st.text(max_size=8).map(json.dumps)))))
def test_any_unit_bag_is_a_host_or_left_out(units: list[dict[str, str]]) -> None:
    parsed = ingress.parse(4, "myapp", APP, units)
    assert parsed is not None
    assert "" not in parsed.hosts


def test_the_first_application_gets_localhost_and_further_ones_names_below_it() -> None:
    both = [requirer(5, "blog"), requirer(3, "notes")]
    assert ingress.urls(both, {}, LOCAL) == {3: "http://localhost:8000/", 5: "http://blog.localhost:8000/"}


def test_what_an_application_was_told_stays() -> None:
    both = [requirer(5, "blog"), requirer(3, "notes")]
    told = {5: "http://localhost:8000/"}
    assert ingress.urls(both, told, LOCAL) == {3: "http://notes.localhost:8000/", 5: "http://localhost:8000/"}


def test_localhost_is_free_again_when_its_application_has_gone() -> None:
    told = {5: "http://blog.localhost:8000/"}
    assert ingress.urls([requirer(5, "blog"), requirer(9, "wiki")], told, LOCAL) == {
        5: "http://blog.localhost:8000/",
        9: "http://localhost:8000/",
    }


def test_an_external_hostname_gives_upstreams_urls() -> None:
    path = Gateway.parse(80, {"external_hostname": "Example.org", "routing_mode": "path"})
    assert ingress.urls([requirer(3)], {}, path) == {3: "http://example.org/dev-notes"}
    subdomain = Gateway.parse(8001, {"external_hostname": "example.org", "routing_mode": "subdomain"})
    assert ingress.urls([requirer(3)], {}, subdomain) == {3: "http://dev-notes.example.org:8001/"}


def test_with_a_port_of_its_own_each_application_is_at_its_root() -> None:
    gateway = replace(Gateway.parse(8000, {"routing_mode": "port"}), ports={3: 8001, 5: 8002})
    assert ingress.urls([requirer(5, "blog"), requirer(3), requirer(7, "late")], {}, gateway) == {
        3: "http://localhost:8001/",
        5: "http://localhost:8002/",
    }


def test_with_a_certificate_urls_are_of_https() -> None:
    assert ingress.urls([requirer(3)], {}, Gateway.parse(8000, {}, 8443)) == {3: "https://localhost:8443/"}
    named = Gateway.parse(80, {"external_hostname": "example.org"}, 443)
    assert ingress.urls([requirer(3)], {}, named) == {3: "https://example.org/dev-notes"}


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"routing_mode": "host"}, "set it to path, subdomain or port"),
        ({"routing_mode": "subdomain"}, "set external_hostname"),
        ({"routing_mode": "subdomain", "external_hostname": "10.0.0.1"}, "not an address"),
        ({"external_hostname": "http://example.org"}, "bare host name"),
        ({"external_hostname": "example.org:80"}, "bare host name"),
    ],
)
def test_an_impossible_option_is_refused_with_the_mend(config: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        Gateway.parse(8000, config)


def test_the_answer_is_the_references() -> None:
    given = ingress.answer("http://10.43.8.34/mymodel-myapp")
    assert given.databag == {"ingress": '{"url": "http://10.43.8.34/mymodel-myapp"}'}
    assert ingress.published(given.databag) == "http://10.43.8.34/mymodel-myapp"
    assert ingress.answer("").databag == {}


@pytest.mark.parametrize("text", ["", "{", "null", "[]", '{"url": 1}'])
def test_a_databag_without_a_url_names_none(text: str) -> None:
    assert ingress.published({"ingress": text} if text else {}) == ""
