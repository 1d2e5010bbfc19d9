"""What rules across files must not say of projects that are well, and what they say of the examples."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from docs.cases import CHARM, Case
from nuages.build.check import check
from nuages.cli.init import command as init

EXAMPLES = Path(__file__).parents[2] / "examples"
SETTINGS = "notes/notes/settings.py"
WHITENOISE = '"whitenoise.middleware.WhiteNoiseMiddleware"'
WORKER = "services:\n  q-worker:\n    override: replace\n    command: python3 -m celery -A notes worker\n"
VARIABLE = "services:\n  django:\n    environment:\n      POSTGRESQL_DB_NAME: x\n"
NOWHERE = "services:\n  q-worker:\n    override: replace\n    command: celery -A nowhere worker\n"
CELERY = "Django~=5.2\npsycopg[binary]\nwhitenoise\ncelery\n"
APPLICATION = "from celery import Celery\n\napp = Celery('notes')\n"
STAGED = "parts:\n  more:\n    plugin: nil\n    stage-packages: [libpq5, nodejs]\n"
SOUND = Case("", False, {}, {}).files("fires")


def command(words):
    return f"services:\n  own-worker:\n    override: replace\n    command: {words}\n"


def problems(tmp_path, changes):
    Case("", False, changes, {}).write("fires", tmp_path)
    return [problem.code for problem in check(tmp_path / "charm").problems]


@pytest.mark.parametrize("charm", sorted(EXAMPLES.glob("*/charm")), ids=lambda path: path.parent.name)
def test_an_example_has_no_problem(charm):
    assert check(charm).problems == ()


@pytest.mark.parametrize("layout", sorted(path.name for path in (EXAMPLES / "layouts").iterdir() if path.is_dir()))
def test_a_layout_has_no_error_once_init_has_written_its_charm(layout, tmp_path):
    project = tmp_path / layout
    shutil.copytree(EXAMPLES / "layouts" / layout, project)
    result = CliRunner().invoke(init, [str(project), "--yes", "--settings"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    report = check(project / "charm")
    assert [str(problem) for problem in report.errors] == []


@pytest.mark.parametrize(
    "changes",
    [
        {SETTINGS: SOUND[SETTINGS].replace(f"MIDDLEWARE = [{WHITENOISE}]", "MIDDLEWARE = []")
         + f"MIDDLEWARE.insert(0, {WHITENOISE})\n"},
        {CHARM: "config:\n  options:\n    settings-module:\n      type: string\n      default: notes.settings\n"},
        {CHARM: "config:\n  options:\n    health-path:\n      type: string\n      default: /healthz\n"},
        {CHARM: "config:\n  options:\n    event-bus-vhost:\n      type: string\n"
         "requires:\n  postgresql:\n    interface: postgresql_client\n    optional: false\n"
         "  event-bus:\n    interface: rabbitmq\n    optional: true\n"},
        {CHARM: "config:\n  options:\n    page-size:\n      type: int\n",
         "notes/notes/env.py": 'import os\n\nPREFIX = "DJANGO_"\nALL = {k: v for k, v in os.environ.items()}\n'},
        {"requirements.txt": "Django~=5.2\n./packages/base\n", CHARM:
         "requires:\n  postgresql:\n    interface: postgresql_client\n    optional: true\n"},
        {"requirements.txt": "Django>=5.2,<6.2\npsycopg[binary]\nwhitenoise\n"},
        {"requirements.txt": "Django~=5.2\npsycopg2-binary==2.9 ; python_version >= '3.8'\nwhitenoise\n"},
        {"rockcraft.yaml": command("/bin/sh -c 'while true; do sleep 5; done'")},
        {"rockcraft.yaml": WORKER, "requirements.txt": CELERY, "notes/notes/celery.py": APPLICATION},
        {"rockcraft.yaml": WORKER, "requirements.txt": CELERY, "notes/tasks.py": APPLICATION,
         "notes/notes/__init__.py": "from tasks import app as queue\n"},
        {"rockcraft.yaml": WORKER.replace("-A notes", "-A notes.tasks:queue"), "requirements.txt": CELERY,
         "notes/notes/tasks.py": APPLICATION.replace("app =", "queue =")},
        {"rockcraft.yaml": WORKER.replace("-A notes", "-A notes.tasks.app"), "requirements.txt": CELERY,
         "notes/notes/tasks.py": APPLICATION},
        {"rockcraft.yaml": WORKER, "requirements.txt": CELERY, "notes/notes/__init__.py": "from .parts import *\n"},
        {"rockcraft.yaml": command("/usr/bin/env sleep 5")},
        {"rockcraft.yaml": command("/usr/bin/watchmedo x"), "requirements.txt": CELERY + "watchdog\n"},
        {"rockcraft.yaml": command("/bin/arq work"), "requirements.txt": CELERY + "arq==0.26\n"},
        {"rockcraft.yaml": command("/usr/bin/node work.js") + STAGED},
        {"rockcraft.yaml": command("pwait notes")
         + "parts:\n  tool:\n    plugin: go\n    source: https://example.com/pwait\n"},
        {"rockcraft.yaml": command("/opt/tool/run") + "parts:\n  tool:\n    plugin: dump\n    source: tools\n"},
        {"rockcraft.yaml": command("/django/app/work.sh"), "notes/work.sh": "#!/bin/sh\n"},
        {"rockcraft.yaml": command("./work.sh") + "    working-dir: /srv\n"},
        {"rockcraft.yaml": command("python3 -m notes.work"), "notes/notes/work.py": ""},
        {"rockcraft.yaml": command("python3 -m board"), "notes/board/__main__.py": ""},
        {"rockcraft.yaml": NOWHERE, "requirements.txt": CELERY + "./packages/nowhere\n"},
        {"rockcraft.yaml": NOWHERE.replace("-A", "--workdir /elsewhere -A"), "requirements.txt": CELERY},
        {"rockcraft.yaml": command("python3 manage.py clearsessions")},
        {"rockcraft.yaml": command("python3 work.py"), "notes/work.py": "1\n"},
        {"pyproject.toml": '[project]\nname = "notes"\nrequires-python = ">=3.10,<4"\n'},
        {SETTINGS: SOUND[SETTINGS].replace('"DJANGO_SECRET_KEY"', '"SITE_KEY"'),
         "charm/src/charm.py": SOUND["charm/src/charm.py"] + '\nALIASES = {"SITE_KEY": "DJANGO_SECRET_KEY"}\n'},
    ],
)  # fmt: skip
def test_no_error_for_what_is_well(tmp_path, changes):
    found = [code for code in problems(tmp_path, changes) if code != "missing-driver"]
    assert found == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rockcraft.yaml": command("python3 work.py")}, "worker-command"),
        ({"rockcraft.yaml": command("./work.sh")}, "worker-command"),
        ({"rockcraft.yaml": WORKER}, "worker-command"),
        ({"rockcraft.yaml": WORKER, "requirements.txt": CELERY,
          "notes/notes/__init__.py": "import celery\n"}, "celery-app"),
        ({"rockcraft.yaml": WORKER.replace("-A notes", "-A notes.tasks:other"), "requirements.txt": CELERY,
          "notes/notes/tasks.py": APPLICATION}, "celery-app"),
        ({"rockcraft.yaml": WORKER.replace("-A notes", "-A notes.nothing"), "requirements.txt": CELERY,
          "notes/notes/celery.py": APPLICATION}, "celery-app"),
        ({"rockcraft.yaml": command("/usr/bin/node work.js")}, "missing-program"),
        ({"rockcraft.yaml": command("ffmpeg -i x") + STAGED}, "missing-program"),
        ({"rockcraft.yaml": command("/usr/bin/pwait notes")}, "missing-program"),
        ({"rockcraft.yaml": command("/srv/venv/bin/python work.py"), "notes/work.py": ""}, "missing-program"),
        ({"rockcraft.yaml": command("python3 /srv/work.py")}, "missing-program"),
        ({"rockcraft.yaml": command("/bin/watchmedo x")}, "missing-program"),
        ({"rockcraft.yaml": "base: bare\nbuild-base: ubuntu@24.04\n" + command("sed -n 1p")}, "missing-program"),
        ({"rockcraft.yaml": command("/django/app/work.sh")}, "worker-command"),
        ({"rockcraft.yaml": command("/bin/python3 /django/app/work.py")}, "worker-command"),
        ({"rockcraft.yaml": command("python3 -m notes.work")}, "worker-command"),
        ({"rockcraft.yaml": NOWHERE, "requirements.txt": CELERY}, "worker-command"),
        ({"rockcraft.yaml": NOWHERE.replace("celery -A nowhere", "python3 -m celery --app=nowhere.app:main"),
          "requirements.txt": CELERY}, "worker-command"),
        ({"rockcraft.yaml": command("''")}, "worker-command"),
        ({"rockcraft.yaml": command("true").replace("replace", "new")}, "service-override"),
        ({"requirements.txt": "Django>=6\npsycopg\nwhitenoise\n", "rockcraft.yaml": "base: ubuntu@22.04\n",
          CHARM: "base: ubuntu@22.04\n"}, "python-version"),
        ({"notes/migrate": "#!/bin/sh\n"}, "migrate-script"),
        ({"migrate.sh": "python3 manage.py migrate\n"}, "migrate-script"),
        ({"rockcraft.yaml": VARIABLE}, "shadowed-variable"),
        ({"requirements.txt": "Django~=5.2\nwhitenoise\n"}, "missing-driver"),
    ],
)  # fmt: skip
def test_other_forms_of_a_fault(tmp_path, changes, code):
    assert code in problems(tmp_path, changes)


def test_what_the_packages_bring_is_known_once_they_are_installed(tmp_path):
    Case("", False, {"rockcraft.yaml": command("/bin/pwait notes")}, {}).write("fires", tmp_path)
    (seen,) = check(tmp_path / "charm").problems
    assert (seen.code, seen.severity) == ("missing-program", "warning")
    (sure,) = check(tmp_path / "charm", commands=frozenset({"celery"})).problems
    assert (sure.code, sure.severity) == ("missing-program", "error")
    assert check(tmp_path / "charm", commands=frozenset({"pwait"})).problems == ()


def test_a_script_is_silenced_below_its_first_line(tmp_path):
    script = "#!/bin/bash\n# nuages: ignore[migrate-script] only Nuages packs it\npython3 manage.py migrate\n"
    assert problems(tmp_path, {"notes/migrate.sh": script}) == []
