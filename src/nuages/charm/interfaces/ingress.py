"""Ingress, version 2: a route to the application, and the URL that it has outside. Every value is JSON."""

import json
from typing import NamedTuple, cast

from nuages.charm import urls
from nuages.charm.facts import Facts, Relation
from nuages.charm.interfaces.base import Interface, NotReady, Publication
from nuages.charm.variables import Variable
from nuages.contract import layout
from nuages.contract.endpoints import INGRESS


class Route(NamedTuple):
    """A working route."""

    url: str

    @property
    def variables(self) -> tuple[Variable, ...]:
        """None of its own: the URL is in DJANGO_BASE_URL and what follows from it."""
        return ()


def publish(facts: Facts, _relation: Relation, _url: str) -> Publication:
    """Say where the application listens; each unit names its own host and address."""
    unit = {"host": json.dumps(facts.fqdn)}
    if facts.address:
        unit["ip"] = json.dumps(facts.address)
    app = {"model": facts.model, "name": facts.app, "port": layout.WEB_PORT, "strip-prefix": True}
    return Publication(app={key: json.dumps(value) for key, value in app.items()}, unit=unit, once=False)


def parse(relation: Relation) -> Route | NotReady:
    """Read the URL: `ingress` is `{"url": ...}`, absent or null until there is a route."""
    text = relation.bag.get("ingress", "")
    if not text:
        return NotReady("no URL yet")
    try:
        answer: object = json.loads(text)
    except ValueError:
        return NotReady("its URL is not JSON")
    url = cast("dict[str, object]", answer).get("url") if isinstance(answer, dict) else None
    if not isinstance(url, str) or not url:
        return NotReady("no URL yet")
    return normalised(url)


def normalised(text: str) -> Route | NotReady:
    """Return the route of a URL: host in lower case, a path of at least `/`."""
    url = urls.parse(text)
    if url.scheme not in ("http", "https") or not url.hostname or not text.isprintable() or " " in text:
        return NotReady("its URL is not an http URL")
    rest = text.partition("://")[2][len(url.netloc) :]
    return Route(f"{url.scheme}://{url.netloc.lower()}{rest if rest.startswith('/') else '/' + rest}")


INTERFACE = Interface(name=INGRESS.name, provider="traefik-k8s", publish=publish, parse=parse)
