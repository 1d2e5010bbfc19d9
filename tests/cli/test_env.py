import json

import pytest

PLAN = {
    "containers": {
        "django-app": {
            "services": {
                "django": {"environment": {"DJANGO_GREETING": "Hello", "DJANGO_SECRET_KEY": "s3cret", "OLD": "s3cret"}},
                "statsd-exporter": {},
            }
        }
    }
}
EXPLAINED = {
    "DJANGO_GREETING": {
        "value": "Hello",
        "origin": "option greeting",
        "change": "juju config notes greeting=VALUE",
        "secret": False,
    },
    "DJANGO_SECRET_KEY": {
        "value": "***",
        "origin": "the application's own secret",
        "change": "juju run notes/leader rotate-secret-key",
        "secret": True,
    },
}
MODEL = "/v1/models/notes"


@pytest.fixture
def asked(daemon):
    unit = {"leader": True, "workload-status": {"current": "active"}}
    daemon.on("GET", f"{MODEL}/status", {"applications": {"notes": {"units": {"notes/0": unit}, "relations": {}}}})
    daemon.on("GET", f"{MODEL}/plan", PLAN)
    result = {"unit": "notes/0", "return-code": 0, "stdout": json.dumps(EXPLAINED)}
    daemon.change("POST", f"{MODEL}/exec", result=result)
    return daemon


def test_the_charm_says_what_is_secret(asked, nuages):
    assert nuages("env", "notes").out == "DJANGO_GREETING=Hello\nDJANGO_SECRET_KEY=***\nOLD=***\n"
    assert asked.bodies("POST", f"{MODEL}/exec") == [{"unit": "notes/0", "argv": ["./explain"]}]


def test_reveal_shows_the_service_as_it_is_and_asks_nobody(asked, nuages):
    assert nuages("env", "notes/0", "--reveal").out.count("s3cret") == 2
    assert asked.bodies("POST", f"{MODEL}/exec") == []


def test_explain_names_origin_and_command(asked, nuages):
    explained = nuages("env", "notes", "--explain").out
    assert "option greeting" in explained
    assert "nuages config notes greeting=VALUE" in explained
    assert "s3cret" not in explained
    document = json.loads(nuages("env", "notes", "--explain", "--format", "json").out)
    assert document["DJANGO_SECRET_KEY"] == {
        "value": "***",
        "origin": "the application's own secret",
        "change": "nuages run notes/leader rotate-secret-key",
        "secret": True,
    }
    assert "s3cret" in nuages("env", "notes", "--explain", "--reveal").out


def test_without_word_from_the_charm_everything_is_hidden(asked, nuages):
    asked.change("POST", f"{MODEL}/exec", result={"unit": "notes/0", "return-code": 127})
    said = nuages("env", "notes")
    assert said.out == "DJANGO_GREETING=***\nDJANGO_SECRET_KEY=***\nOLD=***\n"
    assert "its charm has no program ./explain" in said.err
    refused = nuages("env", "notes", "--explain")
    assert refused.code == 1
    assert "cannot explain the environment of notes/0: its charm has no program ./explain" in refused.err
    assert "fix:   " in refused.err


def test_what_is_not_there_is_named(asked, nuages):
    assert "there is no such application (notes)\nfix:   nuages status" in nuages("env", "nope").err
    assert "there is no such unit (notes/0)" in nuages("env", "notes/7").err
    assert "it has no service 'x' (django, statsd-exporter)" in nuages("env", "notes", "--service", "x").err
