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
WORKER = "services:\n  q-worker:\n    command: python3 -m celery -A notes worker\n"
VARIABLE = "services:\n  django:\n    environment:\n      POSTGRESQL_DB_NAME: x\n"
NOWHERE = "services:\n  q-worker:\n    command: celery -A nowhere worker\n"
CELERY = "Django~=5.2\npsycopg[binary]\nwhitenoise\ncelery\n"
SOUND = Case("", False, {}, {}).files("fires")


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
        {CHARM: "config:\n  options:\n    page-size:\n      type: int\n",
         "notes/notes/env.py": 'import os\n\nPREFIX = "DJANGO_"\nALL = {k: v for k, v in os.environ.items()}\n'},
        {"requirements.txt": "Django~=5.2\n./packages/base\n", CHARM:
         "requires:\n  postgresql:\n    interface: postgresql_client\n    optional: true\n"},
        {"requirements.txt": "Django>=5.2,<6.2\npsycopg[binary]\nwhitenoise\n"},
        {"requirements.txt": "Django~=5.2\npsycopg2-binary==2.9 ; python_version >= '3.8'\nwhitenoise\n"},
        {"rockcraft.yaml": "services:\n  shell-worker:\n    command: /bin/sh -c 'while true; do sleep 5; done'\n"},
        {"rockcraft.yaml": WORKER, "requirements.txt": CELERY},
        {"rockcraft.yaml": NOWHERE, "requirements.txt": CELERY + "./packages/nowhere\n"},
        {"rockcraft.yaml": NOWHERE.replace("-A", "--workdir /elsewhere -A"), "requirements.txt": CELERY},
        {"rockcraft.yaml": "services:\n  clean-worker:\n    command: python3 manage.py clearsessions\n"},
        {"rockcraft.yaml": "services:\n  own-worker:\n    command: python3 work.py\n", "notes/work.py": "1\n"},
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
        ({"rockcraft.yaml": "services:\n  own-worker:\n    command: python3 work.py\n"}, "worker-command"),
        ({"rockcraft.yaml": "services:\n  own-worker:\n    command: ./work.sh\n"}, "worker-command"),
        ({"rockcraft.yaml": WORKER}, "worker-command"),
        ({"rockcraft.yaml": NOWHERE, "requirements.txt": CELERY}, "worker-command"),
        ({"rockcraft.yaml": NOWHERE.replace("celery -A nowhere", "python3 -m celery --app=nowhere.app:main"),
          "requirements.txt": CELERY}, "worker-command"),
        ({"rockcraft.yaml": "services:\n  empty-worker:\n    command: ''\n"}, "worker-command"),
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
