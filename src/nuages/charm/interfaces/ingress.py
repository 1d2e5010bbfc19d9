"""Ingress, version 2: a route to the application, and the URL that it has outside. Every value is JSON."""

import json
import shlex
from typing import cast

from nuages.charm import urls
from nuages.charm.converge import CHECK, HEALTH
from nuages.charm.facts import Facts, Relation, Workload
from nuages.charm.interfaces.base import Interface, NotReady, Publication
from nuages.charm.options import declares_health_path, health_path
from nuages.charm.variables import Variable
from nuages.contract.endpoints import INGRESS
from nuages.contract.row import NamedTuple


class Route(NamedTuple):
    """A working route."""

    url: str

    @property
    def variables(self) -> tuple[Variable, ...]:
        """None of its own: the URL is in DJANGO_BASE_URL and what follows from it."""
        return ()


def publish(facts: Facts, relation: Relation, url: str) -> Publication:
    """Say where the application listens; each unit names its own host and address.

    An option changes nothing of the application's part but the health path, so that a charm without one does not
    compare it at each config-changed; comparing costs a hook tool.
    """
    unit = {"host": json.dumps(facts.fqdn)} if facts.fqdn else {}
    if facts.address:
        unit["ip"] = json.dumps(facts.address)
    if facts.event == "config_changed" and relation.bag.get("ingress") and not declares_health_path(facts):
        return Publication(unit=unit, once=False)
    app: dict[str, object] = {
        "model": facts.model,
        "name": facts.app,
        "port": facts.paas.port,
        "strip-prefix": True,
    }
    if isinstance(facts.workload, Workload):
        app["is_port_open"] = True  # which is done at the same event, or was before
    health = _health(facts, url)
    written = {key: json.dumps(value) for key, value in app.items()}
    written["healthcheck_params"] = json.dumps(health) if health else ""  # "" removes the key
    return Publication(app=written, unit=unit, once=False)


def _health(facts: Facts, url: str) -> dict[str, str]:
    """Return how the provider may find out which units answer; nothing unless a health path is configured.

    It is told the path that the ready check asks for with success now: with one that the application does not know,
    the provider would take every unit for dead and serve nothing. The question names the public host, for Django
    refuses any other.
    """
    host = urls.parse(url).hostname
    path = _proven(facts.workload) if health_path(facts) else ""
    return {"path": path, "hostname": host, "interval": "10s", "timeout": "5s"} if path and host else {}


def _proven(workload: Workload | str | None) -> str:
    """Return the health path in force, if the application answers it well."""
    if not isinstance(workload, Workload) or not workload.answering:
        return ""
    program = workload.checks.get(CHECK, {}).get("exec")
    command = cast("dict[str, object]", program).get("command") if isinstance(program, dict) else None
    if not isinstance(command, str) or HEALTH not in command:
        return ""  # a check of the rock's own
    return shlex.split(command)[-1]


def parse(relation: Relation) -> Route | NotReady:
    """Read the URL: `ingress` is `{"url": ...}`, absent or null until there is a route."""
    text = relation.bag.get("ingress", "")
    if not text:
        return NotReady("no URL yet")
    try:
        answer: object = json.loads(text)
    except (ValueError, RecursionError):
        return NotReady("its URL is not JSON")
    url = cast("dict[str, object]", answer).get("url") if isinstance(answer, dict) else None
    if not isinstance(url, str) or not url:
        return NotReady("no URL yet")
    found = urls.web(url)
    return Route(found) if found else NotReady("its URL is not an http URL")


INTERFACE = Interface(name=INGRESS.name, provider="traefik-k8s", publish=publish, parse=parse, follows_url=True)
