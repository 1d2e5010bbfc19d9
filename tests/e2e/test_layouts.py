"""examples/layouts: for each, init as a user types it, up, pages; and one that is run without a charm at all."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nuages.build import uv
from tests.cli.test_init_mutated import no_requirements, server_missing, two_settings_packages
from tests.e2e.conftest import world_of
from tests.e2e.world import Browser, World, eventually

LAYOUTS = Path(__file__).parents[2] / "examples" / "layouts"
PAGES = {
    "asgi": ("1 rooms in postgresql", "Lobby"),
    "celery": (" ticks in postgresql", "the first one"),
    "environ": ("1 trees in postgresql", "Old quince"),
    "flat": ("1 books in postgresql", "Walden"),
    "groups": ("1 entries in postgresql", "Opening balance"),
    "nested": ("1 goods in postgresql", "Teapot"),
    "split": ("1 visits in postgresql", "Ms Gray"),
    "src": ("1 tours in postgresql", "Harbour"),
    "toplevel": ("1 birds in postgresql", "Wren"),
    "userfile": ("1 answers in postgresql", "Forty-two"),
}
"""What the page of each says: how many rows in which database, and the row that its migration made."""


@pytest.fixture
def layout(request: pytest.FixtureRequest, home: Path) -> Iterator[World]:
    """A world of a layout."""
    with world_of(LAYOUTS / request.param, home) as world:
        yield world


def test_every_layout_has_its_page():
    assert {path.name for path in LAYOUTS.iterdir() if path.is_dir()} == set(PAGES)


def _pages(world: World, name: str) -> None:
    """The page is from PostgreSQL, its style is served, a superuser logs in and stays so."""
    browser = world.browser()
    page = browser.get("/")
    for text in PAGES[name]:
        assert text in page.text, (page.status, page.text[:500])
    style = re.search(r'href="([^"]+\.css)"', page.text)
    assert style
    reply = browser.get(style[1])
    assert (reply.status, "serif" in reply.text) == (200, True), (style[1], reply.status)
    application = next(iter(world.status()["applications"].keys() - {"postgresql-k8s", "traefik-k8s"}))
    made = world.action(f"{application}/0", "create-superuser", "username=admin", "email=a@example.com")
    page = browser.submit("/admin/login/?next=/admin/", username="admin", password=made["password"])
    assert "Site administration" in page.text, (page.status, page.text[:500])
    assert "DEBUG = True" not in browser.get("/no-such-page").text


@pytest.mark.slow
@pytest.mark.parametrize(("layout", "name"), [(name, name) for name in sorted(PAGES)], indirect=["layout"])
def test_init_then_up_then_its_pages(layout: World, name: str):
    said = layout.nuages("init", "--settings", "--yes").stdout
    assert "is not ready" not in said
    assert "Nothing to do" in layout.nuages("init", "--settings").stdout

    layout.up()

    _pages(layout, name)
    if name == "celery":
        eventually("a tick that beat sent and the worker wrote", lambda: _ticks(layout) > 1, seconds=90)


def _ticks(world: World) -> int:
    found = re.search(r"(\d+) ticks", world.browser().get("/").text)
    return int(found[1]) if found else 0


@pytest.mark.parametrize("layout", ["flat"], indirect=True)
def test_up_without_a_charm_runs_the_same_in_memory(layout: World):
    before = _contents(layout.project)

    said = layout.nuages("up")

    assert "has no charm: running it with what `nuages init --settings` would write" in said.stderr
    assert "the settings have SQLite (library/settings.py:44): here it runs on an empty PostgreSQL." in said.stderr
    assert _contents(layout.project) == before
    assert "1 books in postgresql" in layout.browser().get("/").text
    assert layout.application("library")["application-status"]["current"] == "active"


RESOLVED: dict[str, str] = {}


def _locked(project: Path) -> None:
    """Leave a lock as the only file that names the packages, with what resolving them gives."""
    files = sorted(project.rglob("requirements.txt")) or sorted(project.rglob("requirements/production.txt"))
    named = files[0] if files else project / "pyproject.toml"
    groups = ["--group", "prod"] if "\nprod = [" in named.read_text() else []
    key = named.read_text()
    if key not in RESOLVED:
        done = subprocess.run(
            [uv.find_uv(), "pip", "compile", "--quiet", "--no-header", "--no-annotate", str(named), *groups],
            capture_output=True, text=True, check=True, cwd=project,
        )  # fmt: skip
        RESOLVED[key] = done.stdout
    lines = [line.partition(" ;")[0].split("==") for line in RESOLVED[key].splitlines() if "==" in line]
    for path in [*project.rglob("requirements*.txt"), *project.rglob("requirements/*.txt"), project / "pyproject.toml"]:
        path.unlink(missing_ok=True)
    packages = {name.partition("[")[0]: {"version": f"=={version}"} for name, version in lines}
    (project / "Pipfile.lock").write_text(json.dumps({"default": packages}))


MUTATIONS = {
    "settings": (two_settings_packages, ""),
    "server": (server_missing, "no module with a WSGI application: nothing to serve"),
    "lock": (_locked, "only Pipfile.lock names the packages"),
}


@pytest.mark.slow
@pytest.mark.parametrize("mutation", sorted(MUTATIONS))
@pytest.mark.parametrize(("layout", "name"), [(name, name) for name in sorted(PAGES)], indirect=["layout"])
def test_up_of_a_mutated_layout_says_what_it_could_not_find_and_runs_it_all_the_same(
    layout: World, name: str, mutation: str
):
    mutate, says = MUTATIONS[mutation]
    mutate(layout.project)
    before = _contents(layout.project)

    said = layout.nuages("up")

    assert says in said.stderr
    assert "Traceback" not in said.stdout + said.stderr
    assert _contents(layout.project) == before
    page = layout.browser().get("/")
    for text in PAGES[name]:
        assert text in page.text, (page.status, page.text[:500])


@pytest.mark.slow
@pytest.mark.parametrize(("layout", "name"), [(name, name) for name in sorted(PAGES)], indirect=["layout"])
def test_up_of_a_layout_without_requirements_is_refused(layout: World, name: str):
    no_requirements(layout.project)
    before = _contents(layout.project)

    said = layout.nuages("up", check=False)

    assert said.returncode == 1
    assert said.stderr.splitlines() == [
        f"error: cannot run {layout.project}: no file names the packages that the project needs",
        "fix:   write requirements.txt: Django~=5.2 and what else it imports; then nuages up",
    ]
    assert said.stdout == ""
    assert _contents(layout.project) == before


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["flat"], indirect=True)
def test_the_newest_base_runs(layout: World):
    """On 26.04 container, resource, peers and the places in the rock are others."""
    flag = {"CHARMCRAFT_ENABLE_EXPERIMENTAL_EXTENSIONS": "1"}
    layout = replace(layout, environment={**layout.environment, **flag})
    (layout.project / ".python-version").write_text("3.14\n")
    (layout.project / "pyproject.toml").write_text('[project]\nname = "library"\nrequires-python = ">=3.14"\n')
    layout.nuages("init", "--settings", "--yes")
    assert "base: ubuntu@26.04" in (layout.project / "charm/charmcraft.yaml").read_text()
    assert "django-framework.install-app" in (layout.project / "rockcraft.yaml").read_text()

    layout.up()

    _pages(layout, "flat")


def _contents(project: Path) -> dict[str, bytes]:
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in project.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["flat"], indirect=True)
def test_a_new_project_runs(layout: World):
    layout.nuages("init", "--new", "my-shop")
    project = layout.project / "my-shop"
    try:
        layout.nuages("up", cwd=project)
        status = json.loads(layout.nuages("status", "--format", "json", cwd=project).stdout)
        browser = Browser(status["nuages"]["url"])
        assert "Nothing was written yet." in browser.get("/").text
        assert "Hello" in browser.submit("/", text="Hello").text
        assert "sans-serif" in browser.get("/static/guestbook/style.css").text
    finally:
        layout.nuages("down", "--purge", cwd=project, check=False)
