"""A Django application on mysql-k8s: `up` brings MariaDB, passwords change under it, data stay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.projects import append
from tests.e2e.test_orm import orm_on
from tests.e2e.traffic import asking
from tests.e2e.world import World, eventually, processes

pytestmark = pytest.mark.slow

MYSQL = "mysql-k8s/0"


@pytest.fixture(scope="module")
def app(home: Path) -> Iterator[World]:
    """The ORM's project with PyMySQL, and a page that writes a row."""
    with orm_on(home, "mysql", "PyMySQL[rsa]~=1.1") as world:
        append(
            world.project / "orm/orm/urls.py",
            "\n\ndef add(_request, name):\n    Author.objects.create(name=name)\n"
            "    return HttpResponse(str(Author.objects.count()))\n\n\n"
            'urlpatterns.append(path("add/<name>/", add))\n',
        )
        world.up()
        yield world


def add(world: World, name: str) -> str:
    reply = world.browser().get(f"/add/{name}/")
    assert reply.status == 200, reply.text[-600:]
    return reply.text


def test_the_server_is_named_for_what_it_is(app: World):
    status, message = app.workload(MYSQL)
    assert (status, re.sub(r"\d+\.\d+ in", "X in", message)) == ("active", "MariaDB X in place of MySQL 8.0")
    assert add(app, "first") == "1"


def test_the_server_runs_as_nobody_in_particular_and_listens_in_its_pod_only(app: World):
    (pid,) = processes(app, "mysql", "mariadbd")
    status = Path(f"/proc/{pid}/status").read_text()
    assert re.search(r"^Uid:\t(\d+)", status, re.MULTILINE)[1] != "0"
    listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    assert not [line for line in listening.splitlines() if ":0CEA 0" in line.split(" 0A ")[0] and " 0A " in line]
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
    assert "password" not in command.lower()


def test_a_changed_password_loses_no_request(app: World):
    browser = app.browser()
    with asking(*[lambda: browser.wrong("/")] * 3) as asked:
        for _ in range(2):
            app.rotate(MYSQL, "MYSQL_DB_PASSWORD")
            # The server knows one password before the present one: that of workers who still serve.
            eventually("it follows", lambda: app.unit("orm/0")["juju-status"]["current"] == "idle", seconds=60)
        assert add(app, "second") == "2"
        asked.wait_for(20)
    assert asked.failed == []


def test_a_killed_server_is_back_with_every_acknowledged_row(app: World):
    count = int(add(app, "acknowledged"))
    (pid,) = processes(app, "mysql", "mariadbd")
    app.nuages("ssh", "--container", "mysql", MYSQL, "--", "sh", "-c", "kill -9 $(cat /var/lib/mysql/server/pid)")
    eventually("another server", lambda: pid not in processes(app, "mysql", "mariadbd"), seconds=30)
    after = eventually(
        "a page", lambda: (page := app.browser().get("/")).status == 200 and page.text.split("\n"), seconds=60
    )
    assert int(after[-1]) == count


def test_data_outlive_down_and_the_pod(app: World):
    count = int(add(app, "kept"))
    app.nuages("down")
    app.up()
    assert app.browser().get("/").text.splitlines()[-1] == str(count)


def test_a_removed_relation_blocks_and_another_finds_the_tables(app: World):
    count = int(add(app, "stays"))
    app.nuages("remove-relation", "orm", "mysql-k8s")
    app.becomes("orm/0", "blocked")
    app.up()
    page = eventually(
        "a page", lambda: (page := app.browser().get("/")).status == 200 and page.text.splitlines(), seconds=60
    )
    assert page[-1] == str(count)
