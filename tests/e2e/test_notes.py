"""examples/notes from nothing to a page, and what a developer and an operator then do with it."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e.projects import own_port
from tests.e2e.world import World, eventually


@pytest.fixture(scope="module")
def up(world: World) -> World:
    """The example, running."""
    world.port = own_port()
    said = world.up()
    assert world.url in said
    return world


def greeting(world: World) -> str:
    page = world.browser().get("/")
    assert page.status == 200, page.text[:500]
    found = re.search(r"<h1[^>]*>\s*([^<]+?)\s*</h1>", page.text)
    assert found, page.text[:500]
    return found[1]


def sql(world: World, statement: str) -> str:
    """Ask the database with a client inside the PostgreSQL pod."""
    return world.nuages(
        "ssh", "--container", "postgresql", "postgresql-k8s/0", "--", "psql", "-d", "notes", "-At", "-c", statement
    ).stdout.strip()


def logs(world: World, application: str) -> str:
    return world.nuages("logs", application, "-n", "400").stdout


def test_the_page_shows_the_greeting(up: World):
    assert "Hello" in greeting(up)


def test_a_request_is_seen_by_traefik_and_gunicorn(up: World):
    up.browser().get("/?seen=yes", headers={"X-Request-Id": "e2e-4711"})
    host = up.url.split("//")[1].strip("/")

    eventually("the request's id in Traefik's access log", lambda: "e2e-4711" in logs(up, "traefik-k8s"), seconds=10)
    eventually(
        "the forwarded host in gunicorn's log",
        lambda: any("seen=yes" in line and host in line for line in logs(up, "notes").splitlines()),
        seconds=10,
    )


def test_the_log_tells_what_charms_and_built_in_applications_did(up: World):
    lines = up.nuages("debug-log", "--replay", "--level", "info").stdout.splitlines()
    ran = {(line.split(":")[0], line.partition(" INFO juju.worker.uniter.operation ")[2]) for line in lines}
    assert ("unit-notes-0", 'ran "install" hook (via hook dispatching script: dispatch)') in ran
    assert ("unit-notes-0", 'ran "postgresql-relation-joined" hook (via hook dispatching script: dispatch)') in ran
    assert ("unit-postgresql-k8s-0", 'ran "database-relation-joined" hook (via the built-in application)') in ran
    assert ("unit-traefik-k8s-0", 'ran "config-changed" hook (via the built-in application)') in ran


def test_what_an_operator_asks_of_applications(up: World):
    assert "create-superuser  " in up.nuages("actions", "notes").stdout
    assert "required: true" in up.nuages("show-action", "notes", "create-superuser").stdout
    assert "rotate-password" in json.loads(up.nuages("actions", "postgresql-k8s", "--format", "json").stdout)
    shown = json.loads(up.nuages("show-application", "notes", "traefik-k8s", "--format", "json").stdout)
    assert [shown[name]["charm"] for name in ("notes", "traefik-k8s")] == ["notes", "traefik-k8s"]
    goes = up.nuages("remove-application", "postgresql-k8s", "--dry-run").stdout.splitlines()
    assert goes == [
        "will remove application postgresql-k8s",
        "- will remove unit postgresql-k8s/0",
        "- will remove storage data/0",
        "- will remove relation notes:postgresql postgresql-k8s:database",
    ]
    assert "postgresql-k8s" in up.nuages("status").stdout


def test_a_note_is_in_postgresql_and_survives_down_and_up(up: World):
    page = up.browser().submit("/new/", title="Milk", body="two litres")
    assert "Milk" in page.text
    assert sql(up, "select title from board_note") == "Milk"

    up.nuages("down")
    assert "stopped" in up.nuages("status").stdout
    up.up()

    assert "Milk" in up.browser().get("/").text


def test_a_second_up_changes_nothing(up: World):
    before = json.loads(up.nuages("changes", "--format", "json").stdout)
    up.up()
    assert json.loads(up.nuages("changes", "--format", "json").stdout) == before


def test_an_option_shows_on_the_page(up: World):
    up.nuages("config", "notes", "greeting=Bonjour")
    assert "Bonjour" in greeting(up)
    up.nuages("config", "notes", "--reset", "greeting")
    assert "Hello" in greeting(up)


def test_the_models_proxies_reach_the_application_at_the_next_hook(up: World):
    """As in Juju, changing the model's configuration runs no hook by itself."""

    def proxies() -> dict[str, str]:
        found = json.loads(up.nuages("env", "notes", "--format", "json").stdout)
        return {name: row["value"] for name, row in found.items() if name.lower().endswith("_proxy")}

    before = proxies()
    assert before == dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost,::1")
    up.nuages("model-config", "juju-http-proxy=http://proxy.example:3128", "juju-no-proxy=localhost,10.0.0.0/8")
    assert proxies() == before
    up.nuages("config", "notes", "greeting=Salut")
    changed = {"http_proxy": "http://proxy.example:3128", "no_proxy": "localhost,10.0.0.0/8"}
    assert proxies() == {name: value for low, value in changed.items() for name in (low, low.upper())}
    up.nuages("model-config", "--reset", "juju-http-proxy,juju-no-proxy")
    up.nuages("config", "notes", "--reset", "greeting")
    assert proxies() == before


def test_a_wrong_option_changes_nothing(up: World):
    before = up.nuages("config", "notes", "--format", "json").stdout

    unknown = up.nuages("config", "notes", "greting=x", check=False)
    assert unknown.returncode == 1
    assert "greeting" in unknown.stderr
    wrong = up.nuages("config", "notes", "greeting=x", "webserver-workers=many", check=False)
    assert wrong.returncode == 1
    assert "int" in wrong.stderr

    assert up.nuages("config", "notes", "--format", "json").stdout == before


def test_an_edited_template_and_a_new_requirement(up: World):
    (template,) = up.project.rglob("note_list.html")
    template.write_text(template.read_text().replace("</h1>", "</h1>\n<p>edited by hand</p>", 1))
    requirements = up.project / "requirements.txt"
    requirements.write_text(requirements.read_text() + "humanize\n")

    up.up()

    assert "edited by hand" in up.browser().get("/").text
    said = up.nuages(
        "ssh",
        "--container",
        "django-app",
        "notes/0",
        "--",
        "python3",
        "-c",
        "import humanize; print(humanize.ordinal(3))",
    )
    assert said.stdout.strip() == "3rd"


def test_without_its_database_the_app_is_blocked_and_back_with_it(up: World):
    up.nuages("remove-relation", "notes", "postgresql-k8s")
    current, message = up.workload("notes/0")
    assert current == "blocked"
    assert "integrate notes:postgresql postgresql-k8s" in message
    assert up.browser().get("/").status in {502, 503, 504}

    up.nuages("integrate", "notes", "postgresql-k8s")
    up.becomes("notes/0", "active")
    assert "Milk" in up.browser().get("/").text

    second = up.nuages("integrate", "notes:ingress", "traefik-k8s", check=False)
    assert second.returncode == 1
    assert "already exists" in second.stderr or "maximum relation limit" in second.stderr


def test_two_units_share_the_requests(up: World):
    up.nuages("add-unit", "notes")
    up.becomes("notes/1", "active", seconds=90)
    units = up.application("notes")["units"]
    assert len({unit["address"] for unit in units.values()}) == 2

    def both_answered() -> bool:
        browser = up.browser()
        for number in range(4):
            assert browser.get(f"/?spread={number}").status == 200
        return all("spread=" in up.nuages("logs", unit, "-n", "200").stdout for unit in units)

    eventually("requests reach both units", both_answered, seconds=30)
    refused = up.nuages("remove-unit", "notes/1", check=False)
    assert refused.returncode != 0
    assert "--num-units" in refused.stderr
    up.nuages("remove-unit", "notes", "--num-units", "1")
    eventually("one unit left", lambda: list(up.application("notes")["units"]) == ["notes/0"], seconds=60)


def test_the_actions(up: World):
    made = up.action("notes/0", "create-superuser", "username=admin", "email=admin@example.com")
    browser = up.browser()
    page = browser.submit("/admin/login/?next=/admin/", username="admin", password=made["password"])
    assert page.status == 200
    assert "Site administration" in page.text

    up.nuages("run", "notes/0", "rotate-secret-key")
    up.becomes("notes/0", "active", seconds=30)
    assert "Site administration" in browser.get("/admin/").text
