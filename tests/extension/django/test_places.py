"""Where a project begins, and which settings are in force where."""

import pytest

from nuages.extension.problems import ExtensionError
from tests.extension.django.trees import ASGI, WSGI, codes, found, manage, project, remark


def test_a_flat_project():
    findings = found(project())
    assert findings.application == ""
    assert findings.manage and str(findings.manage.place) == "manage.py:3"
    assert findings.wsgi and findings.wsgi.value == "site_one.wsgi"
    assert [(item.where, item.module, item.form) for item in findings.selections] == [
        ("manage", "site_one.settings", "default"),
        ("wsgi", "site_one.settings", "default"),
    ]
    assert findings.settings and findings.settings.module == "site_one.settings"
    assert not findings.conventional


def test_rockcraft_s_own_shape_and_its_name():
    files = {f"shop/{name}": text for name, text in project(package="shop").items()}
    findings = found({**files, "requirements.txt": "Django"})
    assert (findings.application, findings.name.value, findings.conventional) == ("shop", "shop", True)


@pytest.mark.parametrize("directory", ["src", "backend/app", "a/b/c"])
def test_manage_py_somewhere_below(directory):
    findings = found({f"{directory}/{name}": text for name, text in project().items()})
    assert findings.application == directory
    assert findings.wsgi and findings.wsgi.value == "site_one.wsgi"
    assert findings.requirements.file == f"{directory}/requirements.txt"


def test_the_settings_package_that_nobody_selects_is_not_taken():
    files = project("DEBUG = False\n")
    decoys = {
        "old/settings.py": "DEBUG = True\n",
        "apps/settings/__init__.py": "",
        "apps/settings/base.py": "DEBUG = 1\n",
    }
    findings = found({**files, **decoys})
    assert findings.settings and findings.settings.module == "site_one.settings"
    assert "debug" not in codes(findings)


def test_manage_and_wsgi_select_different_settings_and_the_web_s_count():
    files = project(**{"site_one/production.py": "from .settings import *\nDEBUG = False\n"})
    files["site_one/wsgi.py"] = WSGI.format("site_one.production")
    findings = found(files)
    assert findings.settings and findings.settings.module == "site_one.production"
    assert [other.module for other in findings.others] == ["site_one.settings"]
    told = remark(findings, "several-settings")
    assert "manage.py select site_one.settings, the web server site_one.production" in told.text


def test_a_celery_module_and_a_fixed_line_are_places_too():
    files = project(**{
        "site_one/celery.py": 'import os\nos.environ["DJANGO_SETTINGS_MODULE"] = "site_one.settings"\n',
        "site_one/tests/conftest.py": manage("site_one.testing"),
    })  # fmt: skip
    findings = found(files)
    assert [(item.where, item.form) for item in findings.selections] == [
        ("manage", "default"), ("wsgi", "default"), ("celery", "fixed"),
    ]  # fmt: skip
    assert str(remark(findings, "fixed-settings").place) == "site_one/celery.py:2"


def test_several_projects_are_told_and_the_nearest_is_taken():
    files = project()
    files.update({f"tools/{name}": text for name, text in project(package="tool").items()})
    findings = found(files)
    assert findings.manage and findings.manage.value == "manage.py"
    assert "tools/manage.py" in remark(findings, "several-manage").text


def test_the_manage_py_whose_settings_are_there_wins_over_a_nearer_one():
    files = {f"web/{name}": text for name, text in project().items()}
    findings = found({**files, "manage.py": manage("gone.settings")})
    assert findings.manage and findings.manage.value == "web/manage.py"


def test_of_several_wsgi_modules_the_one_that_the_settings_name():
    files = project(
        'WSGI_APPLICATION = "deploy.server.application"\n', **{"deploy/server.py": WSGI.format("site_one.settings")}
    )
    findings = found(files)
    assert findings.wsgi and findings.wsgi.value == "deploy.server"
    assert findings.wsgi.others == ("site_one.wsgi",)
    assert "several-wsgi" in codes(findings, "decide")


def test_asgi_is_served_only_when_something_says_so():
    both = project(**{"site_one/asgi.py": ASGI.format("site_one.settings")})
    assert not found(both).asynchronous
    alone = {name: text for name, text in both.items() if "wsgi" not in name}
    assert found(alone).asynchronous
    assert found({**both, "Procfile": "web: uvicorn site_one.asgi:application\n"}).asynchronous
    assert found({**both, "site_one/settings.py": 'INSTALLED_APPS = ["daphne"]\nROOT_URLCONF = "x"\n'}).asynchronous


def test_wsgi_missing_is_said_with_what_init_does():
    findings = found({name: text for name, text in project().items() if "wsgi" not in name})
    assert findings.wsgi is None
    assert remark(findings, "wsgi").kind == "missing"


def test_a_distribution_without_manage_py():
    files = {name.replace("site_one", "src/site_one"): text for name, text in project().items() if name != "manage.py"}
    findings = found({**files, "src/site_one/wsgi.py": WSGI.format("site_one.settings")})
    assert findings.application == "src"
    assert findings.wsgi and findings.wsgi.value == "site_one.wsgi"
    assert "manage" in codes(findings, "missing")


def test_selected_settings_that_are_not_there():
    files = {name: text for name, text in project().items() if name != "site_one/settings.py"}
    assert "site_one.settings, which is selected, is not in the project" in remark(found(files), "settings").text


@pytest.mark.parametrize(
    "files", [{}, {"app.py": "import flask\n"}, {"manage.py": "print('hello')\n"}, {"manage.py": "django ("}]
)
def test_no_django(files):
    with pytest.raises(ExtensionError, match="cannot find a Django project in there"):
        found(files, "there")


@pytest.mark.parametrize(
    ("package", "folder", "more", "name"),
    [
        ("site_one", "folder", {}, "site-one"),
        ("config", "my-shop", {}, "my-shop"),
        ("config", "src", {"pyproject.toml": '[project]\nname = "Big_Shop"\n'}, "big-shop"),
        ("config", "app", {}, "wares"),
        ("_2go", "x", {}, "app-2go"),
    ],
)
def test_names(package, folder, more, name):
    files = project(package=package, **more)
    files[f"{package}/settings.py"] = 'INSTALLED_APPS = ["wares"]\nROOT_URLCONF = "x"\n'
    assert found({**files, "wares/__init__.py": ""}, folder).name.value == name
