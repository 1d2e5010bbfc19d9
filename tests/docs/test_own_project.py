"""docs/how-to/own-project.md, done as it is written: from a stock project on SQLite to a page from PostgreSQL."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nuages.build import rock_project
from nuages.extension.project import find, read
from nuages.extension.rules import check
from tests.docs import stock
from tests.e2e.world import World, eventually


def test_what_the_page_writes_is_a_project(tmp_path: Path):
    """Without Django and engine: the shape is rockcraft's, the charm has no problem."""
    for name in ("manage.py", "polls/apps.py", "db.sqlite3", "mysite/settings.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "mysite" / "wsgi.py").write_text("application = None\n")

    stock.follow(tmp_path)

    project = rock_project.read(tmp_path)
    assert (project.name, project.wsgi, project.notes) == ("mysite", "mysite.wsgi", ())
    assert "db.sqlite3" not in [name for name, _ in project.files()]
    assert check(read(find(tmp_path))) == []
    compile((tmp_path / "mysite" / "mysite" / "settings.py").read_text(), "settings.py", "exec")
    compile((tmp_path / "charm" / "src" / "charm.py").read_text(), "charm.py", "exec")


@pytest.fixture
def world() -> Iterator[World]:
    """A stock project in a folder with a short path (Unix sockets hold 107 bytes), and a state folder of its own."""
    directory = Path(tempfile.mkdtemp(prefix="nu-", dir="/tmp"))
    project = directory / "site"
    project.mkdir()
    world = World(
        project=project,
        environment={
            **{key: value for key, value in os.environ.items() if not key.startswith(("JUJU_", "NUAGES_", "DJANGO_"))},
            "XDG_STATE_HOME": str(directory / "s"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
    )
    try:
        yield world
    finally:
        world.nuages("down", "--purge", check=False)
        shutil.rmtree(directory)


@pytest.mark.slow
@pytest.mark.e2e
@pytest.mark.timeout(1200)
def test_the_page_takes_a_stock_project_to_a_running_page(world: World):
    stock.startproject(world.project)
    commands = stock.follow(world.project)
    assert [words[0] for words in commands] == ["up", "run"]

    said = world.nuages(*commands[0]).stdout
    assert world.url in said
    printed = world.nuages(*commands[1], "--format", "json").stdout
    password = json.loads(printed)["mysite/0"]["results"]["password"]

    browser = world.browser()
    page = browser.get("/polls/")
    assert (page.status, "No questions yet." in page.text) == (200, True), page.text[:500]
    style = re.search(r'href="([^"]+\.css)"', page.text)
    assert style
    assert "serif" in browser.get(style[1]).text

    page = browser.submit("/admin/login/?next=/admin/", username="admin", password=password)
    assert "Site administration" in page.text
    page = browser.submit(
        "/admin/polls/question/add/",
        **{
            "text": "Tea?",
            "choices-TOTAL_FORMS": "1",
            "choices-INITIAL_FORMS": "0",
            "choices-0-text": "Yes",
            "choices-0-votes": "0",
        },
    )
    assert page.status == 200, page.text[:500]
    assert "Tea?" in browser.get("/polls/").text
    asked = world.nuages(
        "ssh",
        "--container",
        "postgresql",
        "postgresql-k8s/0",
        "psql -d mysite -At -c 'select text from polls_question'",
    )
    assert asked.stdout.strip() == "Tea?"


@pytest.mark.slow
@pytest.mark.e2e
@pytest.mark.timeout(1200)
def test_the_stock_project_runs_unmoved_but_says_so(world: World):
    """What the page says of a manage.py elsewhere."""
    stock.startproject(world.project)
    stock.follow(world.project)
    for path in sorted((world.project / "mysite").iterdir()):
        path.rename(world.project / f"{path.name}.moved")
    (world.project / "mysite").rmdir()
    for path in sorted(world.project.glob("*.moved")):
        path.rename(path.with_suffix(""))

    said = world.nuages("up")

    assert "rockcraft wants it in mysite/" in said.stdout + said.stderr
    eventually("the page", lambda: "Polls" in world.browser().get("/polls/").text, seconds=10)
