"""examples/jobs on three units: workers everywhere, one scheduler, secrets, and one environment for all processes."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.conftest import world_of
from tests.e2e.traffic import asking
from tests.e2e.world import EXAMPLE, World, eventually, processes

pytestmark = pytest.mark.slow

MOTTO = '  two  blanks, a\nnew line, "quotes", it\'s $HOME ${HOME} %s %(x)s \\n back\\slash \t tab, {braces} é 漢 #\n'
"""What shells, YAML, Python's formats and Pebble's could each spoil in their own way."""

REVEAL = """

def reveal(request, name):
    import os

    from django.http import JsonResponse

    return JsonResponse({"value": os.environ.get(name)})


urlpatterns.append(path("reveal/<name>/", reveal))
"""

MIGRATION = """
import json
import os

from django.db import migrations


def record(apps, schema_editor):
    apps.get_model("tasks", "Job").objects.create(text="migration saw " + json.dumps(os.environ["DJANGO_MOTTO"]))


class Migration(migrations.Migration):
    dependencies = [("tasks", "0002_one_turn")]
    operations = [migrations.RunPython(record, migrations.RunPython.noop)]
"""

UNITS = ("jobs/0", "jobs/1", "jobs/2")


@pytest.fixture(scope="module")
def three(home: Path) -> Iterator[World]:
    """The example on three units; its web service shows variables, and a migration writes one down."""
    with world_of(EXAMPLE.parent / "jobs", home) as world:
        tasks = world.project / "jobs" / "tasks"
        with (tasks / "urls.py").open("a") as urls:
            urls.write(REVEAL)
        (tasks / "migrations" / "0003_record.py").write_text(MIGRATION)
        charm = world.project / "charm" / "charmcraft.yaml"
        text = charm.read_text()
        assert "default: Later is soon" in text
        charm.write_text(text.replace("default: Later is soon", "default: " + json.dumps(MOTTO)))
        world.up()
        world.nuages("add-unit", "jobs", "-n", "2")
        for unit in UNITS:
            world.becomes(unit, "active", seconds=180)
        yield world


def sql(world: World, statement: str, database: str = "jobs") -> str:
    psql = ("psql", "-d", database, "-At", "-c", statement)
    return world.nuages("ssh", "--container", "postgresql", "postgresql-k8s/0", "--", *psql).stdout.strip()


def environment(world: World, unit: str, program: str) -> dict[str, str]:
    """The environment of the process of `manage.py PROGRAM` in a unit, as the kernel shows it."""
    code = (
        "import pathlib, sys\n"
        "for entry in pathlib.Path('/proc').glob('[0-9]*'):\n"
        "    try:\n"
        f"        if entry.joinpath('cmdline').read_bytes().endswith(b'manage.py\\0{program}\\0'):\n"
        "            sys.stdout.write(entry.joinpath('environ').read_bytes().hex())\n"
        "            break\n"
        "    except OSError: pass\n"  # it has ended, or Pebble has not made it its user's yet
    )
    python = ("pebble", "exec", "-w", "/", "--user", "_daemon_", "--", "python3", "-c", code)  # as root it may not look

    def look() -> str:
        return world.nuages("ssh", "--container", "django-app", unit, "--", *python).stdout.strip()

    out = eventually(f"{program} runs in {unit}", look, seconds=20)
    pairs = bytes.fromhex(out).decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def revealed(world: World, name: str) -> str | None:
    return json.loads(world.browser().get(f"/reveal/{name}/").text)["value"]


def test_one_environment_for_web_worker_migration_and_exec(three: World):
    assert revealed(three, "DJANGO_MOTTO") == MOTTO
    assert environment(three, "jobs/0", "work")["DJANGO_MOTTO"] == MOTTO
    assert environment(three, "jobs/0", "schedule")["DJANGO_MOTTO"] == MOTTO
    seen = sql(three, "select text from tasks_job where text like 'migration saw %'")
    assert json.loads(seen.removeprefix("migration saw ")) == MOTTO
    code = "import json, os; print(json.dumps(os.environ['DJANGO_MOTTO']))"
    command = ("pebble", "exec", "--context=django", "-w", "/django/app", "--", "python3", "-c", code)
    assert json.loads(three.nuages("ssh", "--container", "django-app", "jobs/0", "--", *command).stdout) == MOTTO


def test_workers_on_every_unit_do_the_work(three: World):
    for number in range(30):
        three.browser().submit("/new/", text=f"job {number}")
    left = "select count(*) from tasks_job where done is null"
    eventually("all jobs done", lambda: sql(three, left) == "0", seconds=60)
    doers = set(sql(three, "select distinct by from tasks_job where text like 'job %'").split())
    assert doers <= {"jobs-0", "jobs-1", "jobs-2"}
    for unit in UNITS:
        assert environment(three, unit, "work")["DJANGO_SECRET_KEY"]


def test_there_are_never_two_schedulers(three: World):
    def shift() -> str:
        return sql(three, "select max(id) from tasks_shift")

    for number in range(10):
        before = shift()
        (pebble,) = processes(three, "django-app", "pebble", unit="jobs/0")
        os.kill(pebble, signal.SIGKILL)
        if number == 5:  # a change in the middle of it
            three.nuages("config", "jobs", "every=1")
        eventually("a new scheduler", lambda before=before: shift() not in (before, ""), seconds=60)
    assert sql(three, "select distinct unit from tasks_shift") == "jobs-0"
    assert sql(three, "select count(*) from tasks_shift where not alone") == "0"
    together = "select count(*) from tasks_shift a join tasks_shift b on a.id < b.id and a.seen > b.began"
    assert sql(three, together) == "0"
    for unit in UNITS:
        three.becomes(unit, "active")


def test_a_removed_relations_variables_are_gone_everywhere(three: World):
    three.nuages("integrate", "jobs:archive", "postgresql-k8s")
    for unit in UNITS:
        eventually(
            f"{unit} has the second database",
            lambda unit=unit: "ARCHIVE_DB_CONNECT_STRING" in environment(three, unit, "work"),
            seconds=60,
        )
    assert revealed(three, "ARCHIVE_DB_PASSWORD")
    three.nuages("remove-relation", "jobs:archive", "postgresql-k8s")
    for unit in UNITS:
        assert not [name for name in environment(three, unit, "work") if name.startswith("ARCHIVE_")]
    for _ in range(6):  # whichever unit answers
        assert revealed(three, "ARCHIVE_DB_PASSWORD") is None


def test_a_secret_as_an_option_is_followed_and_revoked(three: World):
    uri = three.nuages("add-secret", "partner", "user=joe", "token=t-1").stdout.strip()
    three.nuages("config", "jobs", f"partner={uri}")
    current, message = three.workload("jobs/0")
    assert (current, "grant-secret" in message) == ("blocked", True), message
    three.nuages("grant-secret", "partner", "jobs")
    three.nuages("config", "jobs", "every=2")
    eventually("the token arrives", lambda: revealed(three, "DJANGO_PARTNER_TOKEN") == "t-1", seconds=30)

    three.nuages("update-secret", "partner", "user=joe", "token=t-2")
    eventually("the new token arrives", lambda: revealed(three, "DJANGO_PARTNER_TOKEN") == "t-2", seconds=30)
    for unit in UNITS:
        eventually(
            f"{unit}'s worker has it",
            lambda unit=unit: environment(three, unit, "work").get("DJANGO_PARTNER_TOKEN") == "t-2",
            seconds=30,
        )

    three.nuages("revoke-secret", "partner", "jobs")
    three.nuages("config", "jobs", "every=3")
    eventually("it says so", lambda: "grant-secret" in three.workload("jobs/0")[1], seconds=30)
    assert three.browser().get("/").status == 200  # it goes on with what it had
    three.nuages("config", "jobs", "--reset", "partner")
    eventually("the token is gone", lambda: revealed(three, "DJANGO_PARTNER_TOKEN") is None, seconds=30)
    assert three.workload("jobs/0")[0] == "active"


def test_rotation_logs_nobody_out(three: World):
    login = three.action("jobs/0", "create-superuser", "username=root", "email=root@example.com")
    admin = "Site administration"
    browsers = [three.browser() for _ in range(4)]
    for browser in browsers:
        page = browser.submit("/admin/login/?next=/admin/", username="root", password=login["password"])
        assert admin in page.text

    def keys() -> set[str | None]:
        return {environment(three, unit, "work").get("DJANGO_SECRET_KEY") for unit in UNITS}

    with asking(*(partial(browser.wrong, "/admin/", admin) for browser in browsers)) as asked:
        for _ in range(2):
            (old,) = keys()
            three.nuages("run", "jobs/leader", "rotate-secret-key")
            eventually("all have the new key", lambda old=old: len(keys()) == 1 and old not in keys(), seconds=120)
        asked.wait_for(20)
    assert asked.failed == []
