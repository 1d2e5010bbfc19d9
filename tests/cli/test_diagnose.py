"""`nuages diagnose` from the command line: a fake daemon, and a site that answers as the test says."""

from __future__ import annotations

import json
import sys
import time

import pytest

M = "/v1/models/notes"
PASSWORD = "pass-word-of-the-database"
HTML = {"Content-Type": "text/html"}
LINKS = b'<a href="/about/">about</a><link rel="stylesheet" href="/static/a.css">'
ANSWER = {"host_allowed": True, "hosts": ["localhost"], "vendor": "postgresql", "raised": []}


def status(url, **unit):
    workload = {"current": "active", "message": ""} | unit
    return {
        "applications": {
            "notes": {
                "charm-origin": "local",
                "relations": {
                    "postgresql": [{"related-application": "postgresql-k8s", "interface": "postgresql_client"}]
                },
                "units": {"notes/0": {"leader": True, "workload-status": workload, "juju-status": {"current": "idle"}}},
            },
            "postgresql-k8s": {"charm-origin": "built-in", "relations": {}, "units": {}},
        },
        "nuages": {"url": url},
    }


@pytest.fixture
def running(daemon, serve):
    """An application that runs: returns a function that sets what its pages and its Django answer."""

    def start(pages=lambda request: (200, HTML, LINKS), answer=ANSWER, lines=(), **unit):
        url = serve(pages)
        environment = {"DJANGO_BASE_URL": url.rstrip("/"), "POSTGRESQL_DB_PASSWORD": PASSWORD}
        services = {"django": {"command": "gunicorn shop.wsgi:application", "environment": environment}}
        daemon.on("GET", f"{M}/status", status(url, **unit))
        daemon.on("GET", f"{M}/settled", {"settled": True})
        daemon.on("GET", f"{M}/plan", {"containers": {"django-app": {"services": services}}})
        daemon.on("GET", f"{M}/logs", tuple(lines))
        program = f"print('nuages-answer=' + {json.dumps(answer)!r})"
        daemon.on("POST", f"{M}/enter", {"argv": [sys.executable, "-c", program]})
        return url

    return start


def not_found(request):
    return (404, HTML, b"") if "nobody" in request.path or "admin" in request.path else (200, HTML, LINKS)


def test_nothing_wrong_is_said_with_what_was_asked(running, nuages):
    url = running(not_found)
    outcome = nuages("diagnose", "-m", "notes")
    assert (outcome.code, outcome.err) == (0, "")
    first, *rest = outcome.out.splitlines()
    assert first == f"notes at {url}: nothing wrong in 4 pages"
    assert "  200 /about/" in rest and "  200 /static/a.css (static file)" in rest


def test_what_is_wrong_has_reason_and_mend(running, nuages, monkeypatch):
    monkeypatch.setenv("NUAGES_COMMAND", "./nuages")
    running(not_found, answer=ANSWER | {"vendor": "sqlite"})
    outcome = nuages("diagnose", "-m", "notes", "notes")
    assert outcome.code == 1
    assert "error: postgresql is related, but Django uses sqlite [wrong-database]" in outcome.out
    assert "./nuages env notes lists them" in outcome.out
    assert outcome.out.endswith("1 thing wrong\n")


def test_json_has_findings_and_what_they_go_by(running, nuages):
    url = running(lambda request: (400, HTML, b""), answer=ANSWER | {"host_allowed": False})
    outcome = nuages("diagnose", "-m", "notes", "--format", "json")
    document = json.loads(outcome.out)
    assert (outcome.code, document["application"], document["url"]) == (1, "notes", url)
    assert [finding["code"] for finding in document["findings"]] == ["hosts-refused"]
    assert document["observations"]["inside"]["host_allowed"] is False


def test_no_secret_is_shown(running, nuages):
    raised = {"type": "ValueError", "text": f"no {PASSWORD}", "path": "/", "file": "", "line": 0, "causes": []}
    line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "unit": "notes/0", "service": "mail-worker"}
    running(
        lambda request: (500, HTML, b""),
        answer=ANSWER | {"raised": [raised]},
        lines=[{**line, "message": f"ValueError: {PASSWORD}"}],
    )
    for form in ("text", "json"):
        outcome = nuages("diagnose", "-m", "notes", "--format", form)
        assert (outcome.code, PASSWORD in outcome.out + outcome.err) == (1, False)
        assert "ValueError" in outcome.out and "***" in outcome.out


def test_what_was_printed_long_ago_is_over(running, nuages):
    line = {"time": "2020-01-02T03:04:05.6Z", "unit": "notes/0", "service": "mail-worker", "message": "ValueError: x"}
    running(not_found, lines=[line])
    assert nuages("diagnose", "-m", "notes").code == 0


def test_a_django_that_cannot_be_asked_is_a_note(running, nuages, daemon):
    running(not_found)
    daemon.on("POST", f"{M}/enter", {"argv": [sys.executable, "-c", "import sys; sys.exit('gone')"]})
    outcome = nuages("diagnose", "-m", "notes")
    assert outcome.code == 0
    assert "note: could not ask Django itself: gone" in outcome.out


def test_a_model_at_work_is_told(running, nuages, daemon):
    running(not_found)
    daemon.on("GET", f"{M}/settled", {"settled": False})
    outcome = nuages("diagnose", "-m", "notes")
    assert (outcome.code, "notes is still at work" in outcome.err) == (0, True)


def test_a_blocked_unit_is_wrong(running, nuages):
    running(not_found, current="blocked", message="missing: postgresql")
    outcome = nuages("diagnose", "-m", "notes")
    assert outcome.code == 1
    assert "  why: missing: postgresql" in outcome.out


def test_the_application_has_to_be_there(running, nuages, daemon):
    running(not_found)
    outcome = nuages("diagnose", "-m", "notes", "nots")
    assert (outcome.code, "there is no such application (notes, postgresql-k8s)" in outcome.err) == (1, True)
    assert "fix:   nuages status" in outcome.err
    assert "it is built in, and no Django application" in nuages("diagnose", "-m", "notes", "postgresql-k8s").err
    daemon.on("GET", f"{M}/status", {"applications": {}, "nuages": {}})
    assert "none of your own" in nuages("diagnose", "-m", "notes").err
    daemon.on("GET", f"{M}/status", {"applications": {}, "nuages": {"stopped": "stopped: nuages up"}})
    assert "it does not run\nfix:   nuages up" in nuages("diagnose", "-m", "notes").err
