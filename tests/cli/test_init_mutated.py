"""examples/layouts with something taken away or put beside: init says what it could not find, and breaks nothing."""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from nuages.build import rock_project
from nuages.build.check import check

LAYOUTS = Path(__file__).parents[2] / "examples" / "layouts"
NAMES = sorted(path.name for path in LAYOUTS.iterdir() if path.is_dir())


def two_settings_packages(project: Path) -> str:
    """A second package of settings that nobody selects, more inviting by its name."""
    manage = next(project.rglob("manage.py"))
    for name in ("__init__.py", "production.py"):
        path = manage.parent / "settings_old" / "settings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent.parent / "__init__.py").touch()
        path.write_text('DEBUG = True\nSECRET_KEY = "public"\nROOT_URLCONF = "gone"\nINSTALLED_APPS = ["gone"]\n')
    return ""


def server_missing(project: Path) -> str:
    for path in [*project.rglob("wsgi.py"), *project.rglob("asgi.py")]:
        path.unlink()
    return "no module with a WSGI application: nothing to serve"


def requirements_only_in_a_lock(project: Path) -> str:
    for path in [*project.rglob("requirements*.txt"), *project.rglob("requirements/*.txt"), project / "pyproject.toml"]:
        path.unlink(missing_ok=True)
    packages = {name: {"version": "==1"} for name in ("django", "psycopg", "whitenoise", "celery")}
    (project / "Pipfile.lock").write_text(json.dumps({"default": packages}))
    return "only Pipfile.lock names the packages"


def no_requirements(project: Path) -> str:
    requirements_only_in_a_lock(project)
    (project / "Pipfile.lock").unlink()
    return "no file names the packages that the project needs"


MUTATIONS = (two_settings_packages, server_missing, requirements_only_in_a_lock, no_requirements)


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: mutate.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_it_says_so_and_breaks_nothing(home: Path, nuages, name: str, mutate: Callable[[Path], str]):
    project = home / name
    shutil.copytree(LAYOUTS / name, project)
    said = mutate(project)
    before = {path: path.read_text() for path in project.rglob("*") if path.is_file()}

    outcome = nuages("init", name)

    assert (outcome.code, outcome.err) == (0, "")
    assert said in outcome.out
    assert {path: path.read_text() for path in before} == before
    written = nuages("init", "--settings", "--yes", name)
    assert (written.code, written.err) == (0, "")
    changed = {path.name for path, text in before.items() if path.read_text() != text}
    assert changed <= {"manage.py", "wsgi.py", "asgi.py", "celery.py"}
    for path in project.rglob("*.py"):
        ast.parse(path.read_text())
    assert "settings_old" not in written.out.replace("settings_old/settings/production.py", "")
    if mutate is no_requirements:
        assert "is not ready" in written.out
        return
    assert rock_project.read(project).files()
    assert [str(problem) for problem in check(project / "charm").errors] == []
    assert "Nothing to do" in nuages("init", "--settings", name).out


@pytest.mark.parametrize("name", NAMES)
def test_check_finds_no_error_and_no_warning_on_what_init_wrote(home: Path, nuages, name: str):
    shutil.copytree(LAYOUTS / name, home / name)
    assert nuages("init", "--settings", "--yes", name).code == 0
    report = check(home / name / "charm")
    assert [str(problem) for problem in report.problems] == []
