"""Ingress: the URL of the route, or why there is none."""

import json

import pytest

from nuages.charm.facts import Relation
from nuages.charm.interfaces import ingress
from nuages.charm.interfaces.base import NotReady
from nuages.charm.interfaces.ingress import Route


def route(text: str) -> Route | NotReady:
    return ingress.parse(Relation("ingress", "ingress", 9, "traefik-k8s", {"ingress": text}, {}, {}))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://10.43.8.34/mymodel-myapp", "http://10.43.8.34/mymodel-myapp"),
        ("https://Notes.Example", "https://notes.example/"),
        ("http://mymodel-myapp.host/", "http://mymodel-myapp.host/"),
        ("http://[::1]:8000", "http://[::1]:8000/"),
    ],
)
def test_url_of_the_route(url: str, expected: str) -> None:
    assert route(json.dumps({"url": url})) == Route(expected)


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"url": null}', "{", '{"url": "x"}', '{"url": "ftp://x/"}'])
def test_route_not_ready(text: str) -> None:
    assert isinstance(route(text), NotReady)
