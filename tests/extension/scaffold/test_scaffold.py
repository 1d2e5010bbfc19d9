"""What init writes for each of examples/layouts, word for word, and for projects that lack something."""

from __future__ import annotations

import ast
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from nuages.extension.django import Folder, Tree, detect
from nuages.extension.load import load
from nuages.extension.project import Project
from nuages.extension.rules import check
from nuages.extension.scaffold import Planned, difference, scaffold
from tests.extension.django.trees import ASGI, found, manage, project

LAYOUTS = Path(__file__).parents[3] / "examples" / "layouts"
HELPER = "def update(namespace, environ=None): ...\n"


def planned(files: dict[str, str], *, settings: bool = True) -> dict[str, Planned]:
    tree = Tree(files)
    return {item.path: item for item in scaffold(tree, detect(tree, "folder"), helper=HELPER, settings=settings)}


@pytest.mark.parametrize("name", sorted(path.name for path in LAYOUTS.iterdir() if path.is_dir()))
def test_golden(name: str, golden: Callable[[str, str], None]):
    tree = Folder(LAYOUTS / name)
    files = scaffold(tree, detect(tree, name), helper=HELPER, settings=True)
    shown = [
        f"## {item.path}: {item.why}\n\n{difference(item, tree.text(item.path))}"
        for item in files
        if item.text != HELPER
    ]
    golden(f"{name}.diff", "\n".join(shown))


@pytest.mark.parametrize("name", sorted(path.name for path in LAYOUTS.iterdir() if path.is_dir()))
def test_a_second_time_nothing_is_different(name: str, tmp_path: Path):
    tree = Folder(LAYOUTS / name)
    texts = {path: tree.text(path) for path in tree.names}
    first = {item.path: item.text for item in scaffold(tree, detect(tree, name), helper=HELPER, settings=True)}
    again = Tree({**texts, **{path: text for path, text in first.items() if not path.startswith("charm/")}})
    findings = detect(again, name)
    assert findings.bridged
    assert not [remark.code for remark in findings.remarks if remark.kind in {"risk", "missing"} and remark.bridged]
    for settings in (True, False):
        for item in scaffold(again, findings, helper=HELPER, settings=settings):
            if item.path.endswith(".yaml"):
                assert yaml.safe_load(item.text) == yaml.safe_load(first[item.path]), item.path
            else:
                assert item.text == first[item.path], item.path


def test_the_project_s_own_files_are_marked_as_changed():
    files = planned(project('SECRET_KEY = "x"\n'))
    assert {path for path, item in files.items() if item.changes} == {"manage.py", "site_one/wsgi.py"}
    assert not [item for item in planned(project(), settings=False).values() if item.changes]


def test_every_python_file_is_python_and_every_document_yaml():
    files = planned(project('DEBUG = os.environ["DJANGO_DEBUG"] == "1"\nDATABASES = {"default": env.db()}\n'))
    for path, item in files.items():
        if path.endswith(".py"):
            ast.parse(item.text)
        elif path.endswith(".yaml"):
            assert yaml.safe_load(item.text)["name"] == "site-one"


def test_what_is_missing_is_written_as_django_does():
    files = {name: text for name, text in project().items() if name not in ("manage.py", "site_one/wsgi.py")}
    files["site_one/celery.py"] = manage("site_one.settings")
    files["x/wsgi.py"] = "def application(environ, start): ...\n"
    written = planned({**files, "manage.py": manage("site_one.settings")})
    assert "x.wsgi:application" in written["rockcraft.yaml"].text
    del files["x/wsgi.py"]
    written = planned({**files, "manage.py": manage("site_one.settings")})
    assert 'setdefault("DJANGO_SETTINGS_MODULE", "site_one.settings_charm")' in written["site_one/wsgi.py"].text
    assert "'site_one.wsgi:application'" in written["rockcraft.yaml"].text
    written = planned({**project(), "manage.py": ""}, settings=False)
    assert 'setdefault("DJANGO_SETTINGS_MODULE", "site_one.settings")' in written["manage.py"].text
    assert written["manage.py"].executable


def test_the_name_is_where_rockcraft_looks_or_the_place_is_said():
    files = {f"shop/{name}": text for name, text in project(package="shop").items()}
    files["requirements.txt"] = files.pop("shop/requirements.txt")
    document = yaml.safe_load(planned(files)["rockcraft.yaml"].text)
    assert "services" not in document and "parts" not in document
    document = yaml.safe_load(planned({f"web/{name}": text for name, text in project().items()})["rockcraft.yaml"].text)
    part = document["parts"]["django-framework/install-app"]
    assert (part["plugin"], part["source"], part["organize"]) == ("dump", "web", {"*": "django/app/"})
    assert "-django/app/charm" not in part["stage"]


def test_a_name_of_one_letter_gets_a_title_that_charmcraft_takes():
    document = load(planned(project(package="w"))["charm/charmcraft.yaml"].text, "charmcraft.yaml")
    assert document.data["name"] == "w"
    assert check(Project(document)) == []


def test_settings_without_middleware_get_whitenoise_all_the_same(monkeypatch):
    files = project('STATICFILES_STORAGE = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"\n')
    settings = {name: text for name, text in files.items() if name.endswith("settings.py")}
    assert "MIDDLEWARE" not in "".join(settings.values())
    bridge = planned(files)["site_one/settings_charm.py"].text
    assert bridge.count("WHITENOISE_USE_FINDERS") == 1
    monkeypatch.setenv("DJANGO_BASE_URL", "http://site.example")
    helper, engine = types.ModuleType("charm_settings"), {"ENGINE": "django.db.backends.postgresql"}
    helper.update = lambda namespace: namespace.update(DATABASES={"default": engine})  # type: ignore[attr-defined]
    package, module = types.ModuleType("site_one"), types.ModuleType("site_one.settings")
    for name, value in (("charm_settings", helper), ("site_one", package), ("site_one.settings", module)):
        monkeypatch.setitem(sys.modules, name, value)
    result: dict[str, object] = {}
    exec(bridge, result)
    assert result["MIDDLEWARE"] == ["whitenoise.middleware.WhiteNoiseMiddleware"]


def test_requirements_for_rockcraft_come_from_where_they_are():
    files = project(**{"pyproject.toml": '[project]\nname = "x"\ndependencies = ["Django", "psycopg"]\n'})
    del files["requirements.txt"]
    assert planned(files)["requirements.txt"].text.endswith("\nDjango\npsycopg\n")
    lock = '[[package]]\nname = "django"\nversion = "5.2"\ngroups = ["main"]\n'
    files = {**files, "pyproject.toml": "[tool.x]\n", "poetry.lock": lock}
    text = planned(files)["requirements.txt"].text
    assert text.startswith("# From poetry.lock.") and text.endswith("\ndjango==5.2\n")
    assert "requirements.txt" not in planned(project())


def test_asgi_gets_a_worker_that_speaks_it():
    files = {name: text for name, text in project().items() if "wsgi" not in name}
    files["site_one/asgi.py"] = ASGI.format("site_one.settings")
    document = yaml.safe_load(planned(files)["rockcraft.yaml"].text)
    assert document["services"]["django"]["command"].endswith(
        "'site_one.asgi:application' -k [ uvicorn_worker.UvicornWorker ]"
    )
    assert document["parts"]["django-framework/dependencies"]["python-packages"] == ["uvicorn-worker"]


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize(
    "line", ["os.environ.setdefault({0}, {1})", "os.environ[{0}] = {1}", "é = 1; os.environ.setdefault({0}, {1})  # é"]
)
def test_lines_of_every_form_are_changed_where_the_module_is(quote: str, line: str):
    text = (
        "import os\n" + line.format(f"{quote}DJANGO_SETTINGS_MODULE{quote}", f"{quote}site_one.settings{quote}") + "\n"
    )
    files = project(**{"site_one/celery.py": text})
    assert planned(files)["site_one/celery.py"].text == text.replace("site_one.settings", "site_one.settings_charm")


def test_settings_for_developers_stay_in_force_outside_of_the_charm():
    files = project(**{"site_one/production.py": "", "site_one/development.py": "DEBUG = True\n"})
    files["manage.py"] = manage("site_one.development")
    files["site_one/wsgi.py"] = files["site_one/wsgi.py"].replace("site_one.settings", "site_one.production")
    written = planned(files)
    assert (
        '"site_one.settings_charm" if "DJANGO_BASE_URL" in os.environ else "site_one.development"'
        in written["manage.py"].text
    )
    assert '"DJANGO_SETTINGS_MODULE", "site_one.settings_charm")' in written["site_one/wsgi.py"].text
    assert "from site_one.production import *" in written["site_one/settings_charm.py"].text


def test_a_hook_that_has_the_last_word_is_all_that_is_written():
    text = 'DEBUG = False\nMIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware"]\nfrom .local_settings import *\n'
    files = project(text, **{"site_one/local_settings.py.example": 'SECRET_KEY = "x"\n'})
    written = planned(files)
    assert written["site_one/local_settings.py"].text.startswith('SECRET_KEY = "x"\n')
    assert "charm_settings.update(globals())" in written["site_one/local_settings.py"].text
    assert "site_one/settings_charm.py" not in written and "manage.py" not in written
    mine = planned({**files, "site_one/local_settings.py": "DEBUG = True\n"})["site_one/local_settings.py"]
    assert mine.changes and mine.text.startswith("DEBUG = True\n")


def test_a_hook_that_cannot_say_all_is_written_beside_the_bridge():
    text = 'from . import configuration\nX = os.environ["DATABASE_URL"]\n'
    written = planned(project(text, **{"site_one/configuration.example.py": "KEY = 1\n"}))
    assert written["site_one/configuration.py"].text.startswith("KEY = 1\n")
    assert 'DATABASE_URL="POSTGRESQL_DB_CONNECT_STRING"' in written["site_one/settings_charm.py"].text


def test_options_that_the_settings_read_under_their_own_names_are_handed_over():
    written = planned(project('TOKEN = os.environ["PAYMENT_TOKEN"]\nREGION = os.environ["REGION"]\n'))
    options = yaml.safe_load(written["charm/charmcraft.yaml"].text)["config"]["options"]
    assert (options["payment"]["type"], options["region"]["optional"]) == ("secret", False)
    assert 'PAYMENT_TOKEN="DJANGO_PAYMENT_TOKEN"' in written["site_one/settings_charm.py"].text
    assert found(project()).options == ()
