"""Ingress: the URL that users see, and how the provider may find out which units answer."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm import urls
from nuages.charm.decide import decide
from nuages.charm.facts import Option, Relation
from nuages.charm.interfaces import ingress
from nuages.charm.interfaces.base import NotReady
from nuages.charm.interfaces.ingress import Route
from tests.charm.interfaces.examples import THOROUGH
from tests.charm.interfaces.hostile import check
from tests.charm.made import INGRESS, OPTIONS, facts


def route(text: str) -> Route | NotReady:
    return ingress.parse(Relation("ingress", "ingress", 9, "traefik-k8s", {"ingress": text}, {}, {}))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://10.43.8.34/mymodel-myapp", "http://10.43.8.34/mymodel-myapp"),
        ("https://Notes.Example", "https://notes.example/"),
        ("http://mymodel-myapp.host/", "http://mymodel-myapp.host/"),
        ("http://[::1]:8000", "http://[::1]:8000/"),
        ("http://User:Pass@Host", "http://User:Pass@host/"),
    ],
)
def test_url_of_the_route(url: str, expected: str) -> None:
    assert route(json.dumps({"url": url})) == Route(expected)


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"url": null}', "{", '{"url": "x"}', '{"url": "ftp://x/"}'])
def test_route_not_ready(text: str) -> None:
    assert isinstance(route(text), NotReady)


def test_health_path_is_asked_for_at_the_public_host() -> None:
    options = (*OPTIONS, Option("health-path", "string"))
    ours = facts(options=options, config={"health-path": "/healthz?full=1"})
    written = json.loads(ingress.publish(ours, INGRESS, "https://notes.example/x").app["healthcheck_params"])
    assert written == {"path": "/healthz?full=1", "hostname": "notes.example", "interval": "10s", "timeout": "5s"}
    assert ingress.publish(facts(), INGRESS, "https://notes.example/").app["healthcheck_params"] == ""


def test_health_check_is_told_when_the_public_host_becomes_known() -> None:
    options = (*OPTIONS, Option("health-path", "string"))
    ours = facts(
        event="ingress_relation_changed", options=options, config={"health-path": "/up"}, relations=(INGRESS,), fqdn="",
        address="",
    )  # fmt: skip
    writes = [write for write in decide(ours).bags if write.endpoint == "ingress"]
    assert [write.scope for write in writes] == ["app"], "what is not known at this event is not overwritten"
    assert json.loads(writes[0].data["healthcheck_params"])["hostname"] == "notes.example"


@THOROUGH
def test_what_comes_in_comes_out(examples: int) -> None:
    hosts = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,30}[a-z0-9])?", fullmatch=True) | st.ip_addresses(v=6).map(
        "[{}]".format
    )
    paths = st.from_regex(r"(/[A-Za-z0-9._~%-]{0,10}){1,3}", fullmatch=True)

    @settings(max_examples=examples, deadline=None)
    @given(st.sampled_from(["http", "https"]), hosts, st.none() | st.integers(1, 65535), paths)
    def holds(scheme: str, host: str, port: int | None, path: str) -> None:
        text = f"{scheme}://{host}{f':{port}' if port else ''}{path}"
        found = route(json.dumps({"url": text}))
        assert found == Route(text)
        url = urls.parse(found.url)
        assert (url.scheme, url.hostname, url.port) == (scheme, host.strip("[]"), str(port) if port else None)

    holds()


@THOROUGH
def test_nothing_in_a_databag_raises(examples: int) -> None:
    check("ingress", ("ingress",), examples)
