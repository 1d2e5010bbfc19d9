"""Packages from whatever names them, the Python that is asked for, and the base."""

# ruff: noqa: E501 -- a whole file on one line reads best beside what it gives

import json

import pytest

from nuages.extension.django import Tree
from nuages.extension.django.python_version import accepts, choose_base, find_python
from nuages.extension.django.requirements import find_requirements, locked_lines

UV_LOCK = """\
version = 1
[[package]]
name = "site"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "django" }, { name = "psycopg", extra = ["binary"] }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]
prod = [{ name = "whitenoise" }]
[[package]]
name = "django"
version = "5.2.1"
dependencies = [{ name = "asgiref" }, { name = "tzdata", marker = "sys_platform == 'win32'" }]
[[package]]
name = "asgiref"
version = "3.9.0"
[[package]]
name = "tzdata"
version = "2026.1"
[[package]]
name = "psycopg"
version = "3.2.9"
[package.optional-dependencies]
binary = [{ name = "psycopg-binary" }]
[[package]]
name = "psycopg-binary"
version = "3.2.9"
[[package]]
name = "pytest"
version = "9.0"
[[package]]
name = "whitenoise"
version = "6.9"
"""
LOCKED = [
    "asgiref==3.9.0", "django==5.2.1", "psycopg==3.2.9", "psycopg-binary==3.2.9",
    "tzdata==2026.1 ; sys_platform == 'win32'",
]  # fmt: skip


def names(files, application=""):
    found = find_requirements(Tree(files), application)
    return found.file, [package.name for package in found.packages]


@pytest.mark.parametrize(
    ("files", "file", "packages"),
    [
        ({"requirements.txt": "Django\n# no\npsycopg[binary]>=3 # yes\n"}, "requirements.txt", ["django", "psycopg"]),
        ({"requirements.txt": "-r reqs/a.txt\n", "reqs/a.txt": "Django\n-r b.txt\n", "reqs/b.txt": "Some_Thing==1 --hash=sha256:00\n"},
         "requirements.txt", ["django", "some-thing"]),
        ({"requirements.txt": "-r requirements.txt\nDjango\n"}, "requirements.txt", ["django"]),
        ({"requirements/dev.txt": "-r base.txt\npytest\n", "requirements/base.txt": "Django\n", "requirements/prod.txt": "-r base.txt\ngunicorn\n"},
         "requirements/prod.txt", ["django", "gunicorn"]),
        ({"requirements.txt": "ruff\n", "requirements/main.txt": "Django\n"}, "requirements/main.txt", ["django"]),
        ({"requirements-prod.txt": "Django\n", "requirements-dev.txt": "pytest\n"}, "requirements-prod.txt", ["django"]),
        ({"src/requirements.txt": "Django\n"}, "src/requirements.txt", ["django"]),
        ({"pyproject.toml": '[project]\ndependencies = ["Django>=5"]\n[dependency-groups]\ndev = ["x"]\nprod = ["y", {include-group = "more"}]\nmore = ["z"]\n'},
         "pyproject.toml", ["django", "y", "z"]),
        ({"pyproject.toml": '[project]\ndependencies = ["Django"]\n[project.optional-dependencies]\nproduction = ["w"]\n'}, "pyproject.toml", ["django", "w"]),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.12"\ndjango = "^5.1"\npsycopg = {version = "*", extras = ["c"]}\n'},
         "pyproject.toml", ["django", "psycopg"]),
        ({"pyproject.toml": "[tool.ruff]\n", "requirements.txt": "Django\n"}, "requirements.txt", ["django"]),
        ({"Pipfile": '[packages]\ndjango = "*"\n[dev-packages]\npytest = "*"\n'}, "Pipfile", ["django"]),
        ({"Pipfile.lock": json.dumps({"default": {"django": {"version": "==5.2"}}, "develop": {"x": {}}})}, "Pipfile.lock", ["django"]),
        ({"poetry.lock": '[[package]]\nname = "django"\nversion = "5.2"\ngroups = ["main"]\n[[package]]\nname = "x"\nversion = "1"\ngroups = ["dev"]\n'},
         "poetry.lock", ["django"]),
        ({"uv.lock": UV_LOCK}, "uv.lock", ["asgiref", "django", "psycopg", "psycopg-binary", "tzdata"]),
        ({"pyproject.toml": "[project\n", "Pipfile.lock": "{"}, "", []),
        ({}, "", []),
    ],
)  # fmt: skip
def test_requirements(files, file, packages):
    assert names(files, "src") == (file, packages)


def test_a_lock_gives_versions_and_markers_of_what_production_needs():
    tree = Tree({"uv.lock": UV_LOCK})
    assert locked_lines(tree, find_requirements(tree, "")) == ("uv.lock", LOCKED)
    project = '[project]\nname = "site"\ndependencies = ["django"]\n[dependency-groups]\nprod = ["whitenoise"]\n'
    tree = Tree({"uv.lock": UV_LOCK, "pyproject.toml": project})
    assert locked_lines(tree, find_requirements(tree, "")) == ("uv.lock", [*LOCKED, "whitenoise==6.9"])


@pytest.mark.parametrize(
    ("files", "value", "base"),
    [
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.11"\n'}, ">=3.11", "ubuntu@24.04"),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.13"\n'}, ">=3.13", "ubuntu@26.04"),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.8,<3.11"\n'}, ">=3.8,<3.11", "ubuntu@22.04"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "~3.10"\n'}, "~3.10", "ubuntu@22.04"),
        ({".python-version": "3.12\n"}, "3.12", "ubuntu@24.04"),
        ({"runtime.txt": "python-3.10.4\n"}, "3.10", "ubuntu@22.04"),
        ({"Pipfile": '[requires]\npython_version = "3.13"\n'}, "3.13", "ubuntu@24.04"),
        ({"Dockerfile": "FROM docker.example/python:3.12-slim AS x\n"}, "3.12", "ubuntu@24.04"),
        ({}, None, "ubuntu@24.04"),
    ],
)
def test_python_and_base(files, value, base):
    python = find_python(Tree(files))
    assert (python.value if python else None) == value
    assert choose_base(python).value == base


@pytest.mark.parametrize(
    ("specifier", "fits"),
    [
        (">=3.12", True), (">3.12", False), (">=3.12.4", True), ("<3.12", False), ("<3.12.5", True), ("<=3.12", True),
        ("==3.12.*", True), ("==3.11.*", False), ("!=3.12.1", True), ("~=3.10", True), ("~=3.10.2", False),
        ("^3.11", True), (">=3.10,!=3.11.*,<4", True), ("nonsense", True),
    ],
)  # fmt: skip
def test_specifiers(specifier, fits):
    assert accepts(specifier, "3.12") is fits
