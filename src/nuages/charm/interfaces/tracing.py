"""Tracing, version 2: where traces go, by OTLP over HTTP."""

import json
from typing import cast

from nuages.charm import urls
from nuages.charm.facts import Facts, Relation
from nuages.charm.interfaces.base import Interface, NotReady, Publication, Value
from nuages.charm.variables import Variable
from nuages.contract.endpoints import TRACING
from nuages.contract.row import NamedTuple

PROTOCOL = "otlp_http"


class Collector(NamedTuple):
    """Where traces go. The variables are OpenTelemetry's own, whatever the endpoint is called."""

    origin: str
    url: str
    service: str = ""
    """Under which name; `settle` knows it."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """What OpenTelemetry's libraries read."""
        return (
            Variable("OTEL_SERVICE_NAME", self.service, self.origin),
            Variable("OTEL_EXPORTER_OTLP_ENDPOINT", self.url, self.origin),
        )


def publish(_facts: Facts, _relation: Relation, _url: str) -> Publication:
    """Ask for the protocol: without this the provider opens no receiver."""
    return Publication(app={"receivers": json.dumps([PROTOCOL])}, once=False)


def parse(relation: Relation) -> Collector | NotReady:
    """Read the receivers; there may be some that others asked for, and ours may be missing."""
    text = relation.bag.get("receivers", "")
    if not text:
        return NotReady("no receivers yet")
    try:
        receivers: object = json.loads(text)
    except (ValueError, RecursionError):
        return NotReady("its receivers are not JSON")
    if not isinstance(receivers, list):
        return NotReady("its receivers are no list")
    for receiver in cast("list[object]", receivers):
        if url := _url_of(receiver):
            return Collector(f"integration {relation.endpoint}", url)
    return NotReady(f"no receiver for {PROTOCOL} yet")


def _url_of(receiver: object) -> str:
    """Return the URL of a receiver of our protocol; "" for any other."""
    if not isinstance(receiver, dict):
        return ""
    fields = cast("dict[str, object]", receiver)
    protocol, url = fields.get("protocol"), fields.get("url")
    if not (isinstance(protocol, dict) and isinstance(url, str)):
        return ""
    return urls.web(url) if cast("dict[str, object]", protocol).get("name") == PROTOCOL else ""


def settle(facts: Facts, _relation: Relation, value: Value | NotReady) -> Value | NotReady:
    """Name the service after the application."""
    return value._replace(service=facts.app) if isinstance(value, Collector) else value


INTERFACE = Interface(name=TRACING.name, provider="tempo", publish=publish, parse=parse, settle=settle)
