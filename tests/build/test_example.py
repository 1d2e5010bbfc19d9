"""examples/notes with the environment of its own rock: its tests, and its settings with and without the charm."""

import json
import os
import subprocess

import pytest

from nuages.build import rock_project
from nuages.build.environment import environment
from nuages.build.pack import pack
from nuages.engine.programs import pythons
from tests.build.conftest import EXAMPLE

pytestmark = pytest.mark.usefixtures("cache")

CHARM = {
    "DJANGO_BASE_URL": "http://localhost:8000/",
    "DJANGO_ALLOWED_HOSTS": '["localhost"]',
    "DJANGO_SECRET_KEY": "a-key-of-the-charm",
    "DJANGO_DEBUG": "false",
    "DJANGO_GREETING": "Bonjour",
    "POSTGRESQL_DB_NAME": "notes",
    "POSTGRESQL_DB_USERNAME": "u",
    "POSTGRESQL_DB_PASSWORD": "p",
    "POSTGRESQL_DB_HOSTNAME": "db",
    "POSTGRESQL_DB_PORT": "5432",
}


@pytest.fixture
def python(example, cache):
    """A runner of the example's Python in a copy of it."""
    project = rock_project.read(EXAMPLE)
    made = environment(project, pythons.find(project.base.python))

    def run(*arguments, variables=None):
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        done = subprocess.run(
            [str(made.python.executable), *arguments],
            cwd=example / "notes",
            env={**inherited, "PYTHONPATH": str(made.site_packages), **(variables or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def test_its_own_tests_pass(python):
    assert "OK" in python("manage.py", "test", "--verbosity", "2")


def settings(python, variables):
    names = ["DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "GREETING", "CSRF_TRUSTED_ORIGINS", "DATABASES"]
    code = f"import json, notes.settings as s; print(json.dumps({{n: getattr(s, n) for n in {names}}}, default=str))"
    return json.loads(python("-c", code, variables=variables))


def test_settings_with_the_charm(python):
    found = settings(python, CHARM)
    assert found["DEBUG"] is False
    assert found["SECRET_KEY"] == "a-key-of-the-charm"
    assert found["ALLOWED_HOSTS"] == ["localhost"]
    assert found["GREETING"] == "Bonjour"
    assert found["CSRF_TRUSTED_ORIGINS"] == ["http://localhost:8000"]
    assert found["DATABASES"]["default"]["ENGINE"].endswith("postgresql")
    assert found["DATABASES"]["default"]["NAME"] == "notes"


def test_settings_without_the_charm(python):
    found = settings(python, {})
    assert found["DEBUG"] is True
    assert found["SECRET_KEY"]
    assert found["DATABASES"]["default"]["ENGINE"].endswith("sqlite3")


def test_the_charm_never_runs_without_a_key(python):
    variables = {name: value for name, value in CHARM.items() if not name.startswith(("DJANGO_SECRET", "POSTGRES"))}
    code = (
        "import os, django.conf; os.environ['DJANGO_SETTINGS_MODULE'] = 'notes.settings'\n"
        "try: django.conf.settings.SECRET_KEY\n"
        "except Exception as error: print(type(error).__name__)"
    )
    assert python("-c", code, variables=variables).strip() == "ImproperlyConfigured"


def test_static_files_are_served_without_collectstatic(python):
    code = (
        "import io, notes.wsgi as w\n"
        "def start(status, headers, *rest): print(status, dict(headers).get('Content-Type'))\n"
        "environ = {'REQUEST_METHOD': 'GET', 'SERVER_NAME': 'localhost', 'SERVER_PORT': '8000',"
        " 'HTTP_HOST': 'localhost',"
        " 'wsgi.input': io.BytesIO(), 'wsgi.errors': io.StringIO(), 'wsgi.url_scheme': 'http', 'SCRIPT_NAME': ''}\n"
        "for path in ('/static/board/notes.css', '/static/admin/css/base.css', '/static/nothing.css'):\n"
        "    b''.join(w.application({**environ, 'PATH_INFO': path}, start))\n"
    )
    variables = {name: value for name, value in CHARM.items() if not name.startswith("POSTGRES")}
    lines = [line for line in python("-c", code, variables=variables).splitlines() if line[:1].isdigit()]
    assert [line.split()[0] for line in lines] == ["200", "200", "404"]
    assert "text/css" in lines[0]


def test_the_admin_and_csrf_on_a_real_migrated_database(python):
    code = (
        "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'notes.settings'; django.setup()\n"
        "from django.test import Client; from board.models import Note\n"
        "c = Client(enforce_csrf_checks=True, SERVER_NAME='localhost', SERVER_PORT='8000')\n"
        "page = c.get('/new/'); token = c.cookies['notes_csrftoken'].value\n"
        "r = c.post('/new/', {'title': 'Milk', 'body': '', 'csrfmiddlewaretoken': token},"
        " HTTP_ORIGIN='http://localhost:8000')\n"
        "print(r.status_code, Note.objects.get().title, c.get('/admin/').status_code, 'Bonjour' in c.get('/').text)\n"
    )
    variables = {name: value for name, value in CHARM.items() if not name.startswith("POSTGRES")}
    python("manage.py", "migrate", "-v0", variables=variables)
    assert python("-c", code, variables=variables).splitlines()[-1] == "302 Milk 302 True"


def test_its_charm_packs(tmp_path):
    assert pack(EXAMPLE / "charm", tmp_path).path.name == "notes_amd64.charm"
