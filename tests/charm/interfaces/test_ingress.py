"""Ingress: the URL that users see, and how the provider may find out which units answer."""

import json
import shlex
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuages.charm import urls
from nuages.charm.decide import decide
from nuages.charm.facts import Option, Relation, Workload
from nuages.charm.interfaces import ingress
from nuages.charm.interfaces.base import NotReady
from nuages.charm.interfaces.ingress import Route
from tests.charm.interfaces.examples import THOROUGH
from tests.charm.interfaces.hostile import check
from tests.charm.made import INGRESS, OPTIONS, facts, workload


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


def checked(path: str, *, answering: bool = True) -> Workload:
    """Return a container whose ready check asks for a path."""
    command = f"/bin/python3 -I -S /tmp/django/state/health.py 8000 notes.example https {shlex.quote(path)}"
    return workload(checks={"ready": {"exec": {"command": command}}}, answering=answering)


def health(**changes: Any) -> Any:
    """Return what the provider is told of health."""
    options = (*OPTIONS, Option("health-path", "string"))
    ours = facts(**{"options": options, "config": {"health-path": "/healthz?full=1"}, **changes})
    text = ingress.publish(ours, INGRESS, "https://notes.example:8443/x").app["healthcheck_params"]
    return json.loads(text) if text else None


def test_health_path_is_asked_for_at_the_public_host() -> None:
    assert health(workload=checked("/healthz?full=1")) == {
        "path": "/healthz?full=1",
        "hostname": "notes.example",
        "interval": "10s",
        "timeout": "5s",
    }


def test_path_that_the_application_has_not_answered_is_never_told() -> None:
    assert health() is None
    assert health(workload=None) is None
    assert health(workload=checked("/healthz", answering=False)) is None
    assert health(workload=checked("/old"))["path"] == "/old", "refused, so what is in force stays"
    assert health(workload=checked("/old"), config={}) is None
    assert health(workload=workload(checks={"ready": {"exec": {"command": "sh -c '"}}}, answering=True)) is None


@pytest.mark.parametrize("event", ["ingress_relation_changed", "update_status"])
def test_health_check_is_told_as_soon_as_host_and_path_are_known(event: str) -> None:
    ours = facts(
        event=event,
        options=(*OPTIONS, Option("health-path", "string")),
        config={"health-path": "/up"},
        relations=(INGRESS,),
        workload=checked("/up"),
        fqdn="",
        address="",
    )
    writes = [write for write in decide(ours).bags if write.endpoint == "ingress"]
    assert [write.scope for write in writes] == ["app"], "what is not known at this event is not overwritten"
    assert json.loads(writes[0].data["healthcheck_params"])["hostname"] == "notes.example"


def test_without_a_health_path_update_status_compares_nothing() -> None:
    writes = decide(facts(event="update_status", relations=(INGRESS,))).bags
    assert not [write for write in writes if write.endpoint == "ingress"]


@pytest.mark.parametrize(
    ("event", "declared", "answered", "compared"),
    [
        ("config_changed", False, True, False),
        ("config_changed", True, True, True),
        ("config_changed", False, False, True),
        ("leader_elected", False, True, True),
        ("upgrade_charm", False, True, True),
        ("pebble_ready", False, True, True),
    ],
)
def test_the_applications_part_is_compared_when_it_may_differ(
    event: str, declared: bool, answered: bool, compared: bool
) -> None:
    options = (*OPTIONS, Option("health-path", "string")) if declared else OPTIONS
    relation = INGRESS if answered else INGRESS._replace(bag={})
    publication = ingress.publish(facts(event=event, options=options, fqdn="a.b"), relation, "https://notes.example/")
    assert bool(publication.app) == compared
    assert publication.unit["host"] == '"a.b"'


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
