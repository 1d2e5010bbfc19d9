"""Facts made by hand, for the pure parts."""

from dataclasses import replace
from typing import Any

from nuages.charm import gunicorn
from nuages.charm.decide import decide
from nuages.charm.facts import Endpoint, Facts, Option, Outcome, Peer, Relation, SecretKey, Survey, Workload
from nuages.charm.plan import Layer, Migrate, Plan, Reload, Start, Stop, Write
from tests.charm.conftest import ROCK

SURVEY = Survey("r1", "1.2", {"PATH": "/bin"}, ("manage.py",), ("gevent",))
OPTIONS = (
    Option("greeting", "string"),
    Option("limit-of-notes", "int"),
    Option("ratio", "float"),
    Option("closed", "boolean"),
    Option("mail", "secret"),
    Option("django-debug", "boolean"),
    Option("django-allowed-hosts", "string"),
    Option("django-secret-key", "string"),
    Option("django-secret-key-id", "secret"),
    *(Option(f"webserver-{name}", "int") for name in ("keepalive", "threads", "timeout", "workers")),
    Option("webserver-worker-class", "string"),
)
URI = "secret:d2aaaaaaaaaaaaaaaaa0"
DATABASE = Relation(
    "postgresql",
    "postgresql_client",
    7,
    "postgresql-k8s",
    {"database": "notes", "endpoints": "db:5432", "secret-user": URI},
    {},
    {URI: {"username": "u", "password": "pw-of-u", "uris": "postgresql://u:pw-of-u@db:5432/notes"}},
)
INGRESS = Relation("ingress", "ingress", 9, "traefik-k8s", {"ingress": '{"url": "https://notes.example"}'}, {}, {})
DONE = '{"version": 1, "done": [["r1", "postgresql:7:notes"]]}'
KEY = SecretKey({"value": "the-secret-key"}, "secret:d2aaaaaaaaaaaaaaaaa9")


def facts(**changes: Any) -> Facts:
    """Return the facts of a leader with a database and a new container, its migrations done."""
    fields: dict[str, Any] = {
        "event": "pebble_ready",
        "app": "notes",
        "unit": "notes/0",
        "model": "shop",
        "leader": True,
        "container": "django-app",
        "peer_endpoint": "secret-storage",
        "options": OPTIONS,
        "config": {"greeting": "Hello", "django-debug": False},
        "endpoints": (Endpoint("postgresql", "postgresql_client", True), Endpoint("ingress", "ingress", False)),
        "relations": (DATABASE,),
        "peer": Peer(1, {"secret-key-id": KEY.id, "migration": DONE}, {}),
        "key": KEY,
        "fqdn": "notes-0.notes-endpoints.shop.svc.cluster.local",
        "address": "10.1.2.3",
        "workload": workload(),
    }
    return Facts(**{**fields, **changes})


def workload(**changes: Any) -> Workload:
    """Return a container in which nothing has been done yet."""
    fields: dict[str, Any] = {
        "original": ROCK,
        "survey": SURVEY,
        "services": ROCK,
        "checks": {},
        "states": dict.fromkeys(ROCK, "inactive"),
    }
    return Workload(**{**fields, **changes})


def carried_out(before: Facts, plan: Plan) -> Facts:
    """Return the facts that a plan leaves behind when every step works."""
    found = before.workload
    assert isinstance(found, Workload)
    services, checks, states = dict(found.services), dict(found.checks), dict(found.states)
    targets, text, outcome = dict(found.targets), found.gunicorn, found.outcome
    for step in plan.steps:
        if isinstance(step, Layer):
            services.update(step.services)
            checks.update(step.checks)
            targets.update(step.targets)
        elif isinstance(step, Write):
            text = step.file.text if step.file.path == gunicorn.APPLIED else text
        elif isinstance(step, Reload):
            text = step.file.text
            services.update(step.layer.services)
        elif isinstance(step, Start):
            states.update(dict.fromkeys(step.services, "active"))
        elif isinstance(step, Stop):
            states.update(dict.fromkeys(step.services, "inactive"))
        elif isinstance(step, Migrate):
            outcome = Outcome(step.release, step.database, step.attempt, 0, "")
    key, peer = before.key, before.peer
    if plan.secret is not None:
        key = SecretKey(plan.secret.content, plan.secret.id or "secret:made")
    assert peer is not None
    bag = dict(peer.bag)
    for write in plan.bags:
        if write.relation == peer.id and write.scope == "app":
            bag.update(write.data)
    if plan.secret is not None:
        bag.update({"secret-key-id": key.id, "secret-key-state": plan.secret.state})
    after = replace(
        found,
        services=services,
        checks=checks,
        states=states,
        targets=targets,
        gunicorn=text,
        outcome=outcome,
        answering=True,
    )
    return replace(before, workload=after, key=key, peer=Peer(peer.id, bag, peer.units), event="config_changed")


def settled(start: Facts) -> Facts:
    """Carry plans out until one has no steps."""
    for _ in range(5):
        plan = decide(start)
        start = carried_out(start, plan)
        if not plan.steps and plan.secret is None:
            return start
    raise AssertionError("the plans never end")
