import json

import pytest

from nuages.cli.env_origins import Application, explain

NOTES = Application(
    "notes",
    {
        "greeting": {"source": "default", "type": "string"},
        "title": {"source": "user", "type": "string"},
        "api": {"source": "user", "type": "secret"},
        "django-debug": {"source": "default", "type": "boolean"},
        "django-allowed-hosts": {"source": "unset", "type": "string"},
        "django-secret-key": {"source": "unset", "type": "string"},
    },
    {
        "postgresql": ("postgresql_client", "postgresql-k8s"),
        "replica": ("postgresql_client", "second-pg"),
        "ingress": ("ingress", "traefik-k8s"),
    },
)


@pytest.mark.parametrize(
    ("name", "origin", "change"),
    [
        ("DJANGO_GREETING", "option greeting (default)", "config notes greeting=…"),
        ("DJANGO_TITLE", "option title", "config notes title=…"),
        ("DJANGO_DEBUG", "option django-debug (default)", "config notes django-debug=…"),
        ("DJANGO_ALLOWED_HOSTS", "the host of the public URL", "config notes django-allowed-hosts=…"),
        ("DJANGO_BASE_URL", "integration ingress with traefik-k8s", ""),
        (
            "POSTGRESQL_DB_HOSTNAME",
            "integration postgresql with postgresql-k8s",
            "remove-relation notes:postgresql postgresql-k8s",
        ),
        ("REPLICA_DB_HOSTNAME", "integration replica with second-pg", "remove-relation notes:replica second-pg"),
        ("HTTPS_PROXY", "model option juju-https-proxy", "model-config juju-https-proxy=…"),
        ("DJANGO_PEER_FQDNS", "the other units", "add-unit notes"),
        ("TZ", "the rock", ""),
    ],
)
def test_origins(name, origin, change):
    found = explain(name, "x", NOTES)
    assert (found.origin, found.change, found.secret) == (origin, change, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DJANGO_SECRET_KEY", "s3cret"),
        ("DJANGO_API_PASSWORD", "s3cret"),
        ("DJANGO_API_OTHER", "s3cret"),
        ("POSTGRESQL_DB_CONNECT_STRING", "postgresql://u:s3cret@h/d"),
        ("POSTGRESQL_DB_PASSWORD", "s3cret"),
        ("POSTGRESQL_DB_NETLOC", "u:s3cret@h:1"),
        ("CACHE_URL", "redis://u:s3cret@h/0"),
    ],
)
def test_secrets_are_masked(name, value):
    assert explain(name, value, NOTES).shown == "***"


def test_the_command(daemon, nuages):
    model = "/v1/models/notes"
    unit = {"leader": True, "workload-status": {"current": "active"}}
    daemon.on("GET", f"{model}/status", {"applications": {"notes": {"units": {"notes/0": unit}, "relations": {}}}})
    daemon.on("GET", f"{model}/config/notes", {"settings": NOTES.settings})
    environment = {"DJANGO_GREETING": "Hello", "DJANGO_SECRET_KEY": "s3cret"}
    services = {"django": {"environment": environment}, "statsd-exporter": {}}
    daemon.on("GET", f"{model}/plan", {"containers": {"django-app": {"services": services}}})

    assert nuages("env", "notes").out == "DJANGO_GREETING=Hello\nDJANGO_SECRET_KEY=***\n"
    assert "s3cret" in nuages("env", "notes/0", "--reveal").out
    explained = nuages("env", "notes", "--explain").out
    assert "option greeting (default)" in explained and "nuages config notes greeting=…" in explained
    assert "s3cret" not in explained
    document = json.loads(nuages("env", "notes", "--explain", "--format", "json").out)
    assert document["DJANGO_GREETING"]["origin"] == "option greeting (default)"
    assert document["DJANGO_SECRET_KEY"] == {
        "value": "***",
        "origin": "the application's secret, made by the charm",
        "change": "run notes/0 rotate-secret-key",
        "secret": True,
    }
    assert nuages("env", "nope").code == 1
    assert "it has no service 'x' (django, statsd-exporter)" in nuages("env", "notes", "--service", "x").err
