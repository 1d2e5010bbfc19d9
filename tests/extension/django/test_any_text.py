"""Whatever files hold, detection and what is written from it end without an exception."""

# ruff: noqa: E501 -- pieces of files are long lists

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nuages.extension.django import Tree, detect
from nuages.extension.problems import ExtensionError
from nuages.extension.scaffold import scaffold
from tests.extension.django.trees import WSGI, found, manage, project

NAMES = (
    "manage.py", "site_one/settings.py", "site_one/wsgi.py", "requirements.txt", "pyproject.toml", "uv.lock", "poetry.lock",
    "Pipfile", "Pipfile.lock", "Procfile", "compose.yaml", "runtime.txt", ".python-version", ".gitignore", "package.json",
    "site_one/celery.py", "site_one/management/commands/x.py",
)  # fmt: skip
PIECES = st.sampled_from([
    "import os\n", 'os.environ["A"]', 'os.environ.get("DEBUG", "1")', "DATABASES = ", "DEBUG = ", "X = ", "{", "}", "[", "]", "(", ")",
    '"default": ', '"ENGINE": "django.db.backends.sqlite3"', "\n", " ", "    ", "from .x import *\n", "if True:\n", "try:\n", "pass\n",
    "except ImportError:\n", "env = environ.Env(A=(bool, False))\n", 'env.db("X")', "env()", "config()", ".split(',')", "== 'x'", "+", ",",
    '[project]\n', "dependencies = [", '"Django>=5"', "[[package]]\n", 'name = "django"\n', "services:\n", "  a:\n", "    command: ",
    "worker: celery -A x worker -B\n", "-r requirements.txt\n", "-e .#egg=x\n", "\x00", "é", "*", "\\", "'''", "lambda: 1", "django",
])  # fmt: skip
TEXTS = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=25).map("".join))
VALID = {"manage.py": manage("site_one.settings"), "site_one/wsgi.py": WSGI.format("site_one.settings")}


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=6), st.booleans())
def test_nothing_raises(files: dict[str, str], valid: bool):
    tree = Tree({**files, **VALID} if valid else files)
    try:
        findings = detect(tree, "folder")
    except ExtensionError as error:
        assert error.fix and not valid
        return
    for bridge in (False, True):
        for planned in scaffold(tree, findings, helper="", settings=bridge):
            assert planned.path and planned.why
            if not planned.changes and planned.path.endswith(".py"):
                compile(planned.text, planned.path, "exec")


def test_an_expression_that_is_too_deep_is_passed_over():
    findings = found(project("X = " + " + ".join(['"a"'] * 800) + '\nSECRET_KEY = "x"\n'))
    assert "public-key" in {remark.code for remark in findings.remarks}


def test_settings_that_whoever_installs_it_writes():
    files = project(**{"site_one/settings_example.py": 'DEBUG = True\nSECRET_KEY = "x"\nROOT_URLCONF = "y"\n'})
    del files["site_one/settings.py"]
    findings = found(files)
    assert findings.settings is None
    assert findings.production and findings.production.module == "site_one.settings_example"
    (missing,) = [remark for remark in findings.remarks if remark.code == "settings"]
    assert "site_one/settings_example.py shows it" in missing.text and missing.bridged
    assert {"debug", "public-key"} <= {remark.code for remark in findings.remarks if remark.kind == "risk"}
    written = {item.path: item.text for item in scaffold(Tree(files), findings, helper="", settings=True)}
    assert "from site_one.settings_example import *" in written["site_one/settings_charm.py"]
    assert (
        '"site_one.settings_charm" if "DJANGO_BASE_URL" in os.environ else "site_one.settings"' in written["manage.py"]
    )


def test_scripts_with_settings_of_their_own_are_left_alone():
    script = manage("site_one.build_settings")
    files = project(**{"site_one/build.py": script, "site_one/build_settings.py": "from .settings import *\n"})
    findings = found(files)
    assert "several-settings" not in {remark.code for remark in findings.remarks}
    assert "site_one/build.py" not in {item.path for item in scaffold(Tree(files), findings, helper="", settings=True)}


def test_empty_texts_are_no_sign_of_a_relation():
    assert [item.interface for item in found(project('X = ""\nY = {"a": ""}\n')).integrations] == ["postgresql_client"]
