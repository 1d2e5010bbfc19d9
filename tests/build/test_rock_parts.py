"""Where the part install-app puts files: as craft-parts' organize, stage and prime do."""

# ruff: noqa: E501 -- places are as long as they are

import pytest

from nuages.build import rock_project
from nuages.build.errors import BuildError
from nuages.build.rock_parts import filtered, organized
from tests.build.test_rock_project import ROCKCRAFT, WSGI, make

NAMES = ("manage.py", "site/wsgi.py", "site/static/a.css", ".git/config", "docs/x/y.md")


@pytest.mark.parametrize(
    ("moves", "placed"),
    [
        ({}, NAMES),
        ({"*": "django/app/"}, tuple(f"django/app/{name}" for name in NAMES)),
        ({"manage.py": "django/app/"}, ("django/app/manage.py", *NAMES[1:])),
        ({"manage.py": "django/app/m.py"}, ("django/app/m.py", *NAMES[1:])),
        ({"site": "django/app/site"}, ("manage.py", "django/app/site/wsgi.py", "django/app/site/static/a.css", *NAMES[3:])),
        ({"docs/*": "d/"}, (*NAMES[:4], "d/x/y.md")),
        ({"site/*.py": "top/"}, ("manage.py", "top/wsgi.py", *NAMES[2:])),
        ({"site": "app", "*": "rest/"}, ("rest/manage.py", "rest/app/wsgi.py", "rest/app/static/a.css", "rest/.git/config", "rest/docs/x/y.md")),
    ],
)  # fmt: skip
def test_organize(moves, placed):
    assert tuple(organized(NAMES, moves).values()) == placed


@pytest.mark.parametrize(
    ("entries", "kept"),
    [
        (("-.*",), {"manage.py", "site/wsgi.py", "site/static/a.css", "docs/x/y.md"}),
        (("-docs", "-site/static"), {"manage.py", "site/wsgi.py", ".git/config"}),
        (("site",), {"site/wsgi.py", "site/static/a.css"}),
        (("site", "-site/*.py"), {"site/static/a.css"}),
        (("*.py",), {"manage.py"}),
        (("**/*.py",), {"manage.py", "site/wsgi.py"}),
        (("- docs", "-s?te", "-.git"), {"manage.py"}),
    ],
)
def test_stage_and_prime(entries, kept):
    assert filtered(NAMES, entries) == kept


PART = """\
services: {django: {command: /bin/python3 -m gunicorn config.wsgi}}
parts:
  django-framework/install-app:
    plugin: dump
    source: src
    organize: {"*": django/app/}
    stage: [-django/app/local]
"""


def test_a_project_laid_out_by_its_part(tmp_path):
    files = {
        "src/manage.py": "",
        "src/config/wsgi.py": WSGI,
        "src/local/x.py": "",
        "src/db.sqlite3": "",
        "other/manage.py": "",
    }
    project = rock_project.read(make(tmp_path, files, ROCKCRAFT + PART))
    assert [name for name, _ in project.files()] == ["config/wsgi.py", "manage.py"]
    assert project.notes == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("plugin: dump", "plugin: nil", "the plugin 'nil' cannot be run here"),
        ("source: src", "source: gone", "'gone' is no directory"),
        ('organize: {"*": django/app/}', "organize: [a]", "is no mapping of paths"),
        ("stage: [-django/app/local]", "stage: all", "is no list of paths"),
    ],
)
def test_what_cannot_be_followed_is_an_error_with_its_place(tmp_path, old, new, message):
    root = make(tmp_path, {"src/manage.py": ""}, ROCKCRAFT + PART.replace(old, new))
    with pytest.raises(BuildError, match=message) as refused:
        rock_project.read(root)
    assert "rockcraft.yaml:" in str(refused.value) and refused.value.fix


def test_keys_that_are_not_followed_are_told(tmp_path):
    root = make(tmp_path, {"src/manage.py": ""}, ROCKCRAFT + PART + "    override-build: make\n")
    assert "override-build is not followed here" in rock_project.read(root).notes[0]
