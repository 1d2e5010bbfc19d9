"""Facts made by hand, for the pure parts."""

from typing import Any

from nuages.charm.facts import Endpoint, Facts, Option, Peer, Relation, SecretKey, Survey, Workload
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
