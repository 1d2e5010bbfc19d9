"""Reading a project: where manage.py is, which module is WSGI, and a mend for whatever is missing."""

import pytest

from nuages.build import rock_project
from nuages.build.errors import BuildError
from nuages.build.rock_layer import layer, metadata

ROCKCRAFT = """\
name: my-site
base: ubuntu@24.04
version: "1.2"
platforms: {amd64: null}
extensions: [django-framework]
"""
WSGI = "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"


def make(root, files, rockcraft=ROCKCRAFT):
    root.mkdir(exist_ok=True)
    (root / "rockcraft.yaml").write_text(rockcraft)
    for name, text in {"requirements.txt": "Django\n", **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


USUAL = {"my_site/manage.py": "", "my_site/my_site/wsgi.py": WSGI}


def test_the_usual_shape(tmp_path):
    project = rock_project.read(make(tmp_path, USUAL))
    assert project.application == tmp_path / "my_site"
    assert project.wsgi == "my_site.wsgi"
    assert (project.name, project.version, project.base.python) == ("my-site", "1.2", "3.12")
    assert project.packages == ("gunicorn>=22",)
    assert project.notes == ()


@pytest.mark.parametrize(
    ("files", "wsgi", "note"),
    [
        ({"manage.py": "", "config/wsgi.py": WSGI}, "config.wsgi", "the project's root"),
        ({"manage.py": "", "wsgi.py": WSGI}, "wsgi", "the project's root"),
        ({"manage.py": "", "my_site/wsgi.py": WSGI, "other/wsgi.py": WSGI}, "my_site.wsgi", "the project's root"),
        ({"src/manage.py": "", "src/config/wsgi.py": WSGI}, "config.wsgi", "manage.py is in src/"),
    ],
)
def test_other_shapes_work_and_are_told(tmp_path, files, wsgi, note):
    project = rock_project.read(make(tmp_path, files))
    assert project.wsgi == wsgi
    assert note in project.notes[0]


def test_what_is_not_the_application(tmp_path):
    junk = {
        ".git/config": "x",
        ".venv/pyvenv.cfg": "x",
        "env/pyvenv.cfg": "x",
        "env/lib/site-packages/other/wsgi.py": WSGI,
        "charm/charmcraft.yaml": "x",
        "charm/src/charm.py": "x",
        "node_modules/x.js": "x",
        "db.sqlite3": "x",
        "my_site/__pycache__/wsgi.cpython-312.pyc": "x",
        "x.rock": "x",
        ".env": "SECRET=1",
    }
    kept = {"manage.py": "", "my_site/wsgi.py": WSGI, "static/.well-known/a.txt": "", "data/notes.json": "{}"}
    project = rock_project.read(make(tmp_path, {**junk, **kept}))
    assert {name for name, _ in project.files()} == {*kept, "requirements.txt", "rockcraft.yaml"}


@pytest.mark.parametrize(
    ("files", "rockcraft", "message", "fix"),
    [
        ({}, ROCKCRAFT, "there is no manage.py", "startproject my_site"),
        ({"my_site/manage.py": ""}, ROCKCRAFT, "there is no wsgi.py", "my_site/wsgi.py"),
        ({"manage.py": "", "a/wsgi.py": WSGI, "b/wsgi.py": WSGI}, ROCKCRAFT, "a/wsgi.py and b/wsgi.py", "command:"),
        (
            {"a/manage.py": "", "b/manage.py": ""},
            ROCKCRAFT,
            "several directories have a manage.py: a/ and b/",
            "my_site",
        ),
        (
            {**USUAL, "my_site/my_site/wsgi.py": "app = 1\n"},
            ROCKCRAFT,
            "no variable named application",
            "application =",
        ),
        ({**USUAL, "my_site/my_site/wsgi.py": "a = (\n"}, ROCKCRAFT, "wsgi.py:1: '(' was never closed", "correct"),
        (USUAL, ROCKCRAFT.replace("24.04", "24.10"), "unknown base 'ubuntu@24.10'; did you mean", "ubuntu@24.04"),
        (USUAL, ROCKCRAFT.replace("base: ubuntu@24.04\n", ""), "base is missing", "ubuntu@24.04"),
        (USUAL, ROCKCRAFT.replace("[django-framework]", "[]"), "does not use django-framework", "extensions:"),
        (USUAL, ROCKCRAFT.replace("name: my-site\n", ""), "has no name", "name:"),
        (USUAL, ROCKCRAFT + "services: {x-worker: {override: replace}}\n", "x-worker has no command", "command:"),
    ],
)
def test_what_is_missing_is_told_with_a_mend(tmp_path, files, rockcraft, message, fix):
    with pytest.raises(BuildError) as caught:
        rock_project.read(make(tmp_path, files, rockcraft))
    assert message in str(caught.value)
    assert fix in caught.value.fix
    assert "\n" not in str(caught.value)


def test_no_rockcraft_yaml(tmp_path):
    with pytest.raises(BuildError, match=r"there is no rockcraft\.yaml") as caught:
        rock_project.read(tmp_path)
    assert caught.value.fix


def test_no_requirements(tmp_path):
    root = make(tmp_path, USUAL)
    (root / "requirements.txt").unlink()
    with pytest.raises(BuildError, match=r"neither requirements\.txt nor pyproject\.toml"):
        rock_project.read(root)
    (root / "pyproject.toml").write_text("[project]\nname='x'\nversion='1'\ndependencies=['gunicorn==23.0.0']\n")
    project = rock_project.read(root)
    assert project.requirements.name == "pyproject.toml"
    assert project.packages == ("gunicorn",)


def test_included_requirements_count(tmp_path):
    files = {
        "requirements.txt": "-r more/base.txt\n",
        "more/base.txt": "-c limits.txt\nDjango\ngevent\n",
        "more/limits.txt": "",
    }
    project = rock_project.read(make(tmp_path, {**USUAL, **files}))
    names = [path.name for path in rock_project.requirement_files(project.requirements)]
    assert names == ["requirements.txt", "base.txt", "limits.txt"]
    assert project.asynchronous


def test_the_layer(tmp_path):
    services = "services:\n  mail-worker: {override: replace, command: python3 w.py, startup: enabled}\n"
    project = rock_project.read(make(tmp_path, USUAL, ROCKCRAFT + services))
    assert layer(project)["services"] == {
        "django": {
            "override": "replace",
            "startup": "enabled",
            "command": "/bin/python3 -m gunicorn -c /django/gunicorn.conf.py 'my_site.wsgi:application' -k [ sync ]",
            "after": ["statsd-exporter"],
            "user": "_daemon_",
        },
        "statsd-exporter": {
            "override": "merge",
            "startup": "enabled",
            "command": "/bin/statsd_exporter --statsd.mapping-config=/statsd-mapping.conf"
            " --statsd.listen-udp=localhost:9125 --statsd.listen-tcp=localhost:9125",
            "summary": "statsd exporter service",
            "user": "_daemon_",
        },
        "mail-worker": {"override": "replace", "command": "python3 w.py", "startup": "enabled"},
    }
    assert metadata(project)["name"] == "my-site"


def test_gevent_and_a_command_of_one_s_own(tmp_path):
    project = rock_project.read(make(tmp_path, {**USUAL, "requirements.txt": "Django\ngevent\n"}))
    assert layer(project)["services"]["django"]["command"].endswith("-k [ gevent ]")
    own = ROCKCRAFT + "services:\n  django: {command: /bin/python3 -m gunicorn other.wsgi}\n"
    project = rock_project.read(make(tmp_path / "b", {"my_site/manage.py": ""}, own))
    assert layer(project)["services"]["django"]["command"] == "/bin/python3 -m gunicorn other.wsgi"
    assert layer(project)["services"]["django"]["user"] == "_daemon_"


def test_parts_that_are_not_built_are_told(tmp_path):
    parts = (
        "parts:\n  django-framework/dependencies: {stage-packages: [libpq-dev, gdal-bin]}\n"
        "  django-framework/async-dependencies: {python-packages: ['gunicorn[gevent]']}\n  extra: {plugin: dump}\n"
    )
    project = rock_project.read(make(tmp_path, USUAL, ROCKCRAFT + parts))
    assert project.parts.packages == ("libpq-dev", "gdal-bin")
    assert "part extra" in project.notes[0]
    assert project.packages == ("gunicorn[gevent]", "gunicorn")
    assert project.asynchronous


def test_services_that_rockcraft_would_refuse_are_told(tmp_path):
    services = (
        "services:\n  a-worker: {command: x}\n  django: {command: y}\n  b-worker: {command: z, override: replace}\n"
    )
    project = rock_project.read(make(tmp_path, USUAL, ROCKCRAFT + services))
    assert project.notes == ("services a-worker: rockcraft wants `override: replace` there",)


RESOLUTE = ROCKCRAFT.replace("24.04", "26.04")


def test_on_26_04_things_are_elsewhere(tmp_path):
    parts = """\
parts:
  django-framework.install-app:
    plugin: dump
    source: my_site
    organize: {"*": app/}
    stage: [-app/notes.txt]
  django-framework.dependencies:
    python-packages: [httpx]
  static:
    plugin: nil
    override-prime: |
      cd $CRAFT_PRIME/app/front
      python3 ../manage.py collectstatic
"""
    files = {**USUAL, "my_site/notes.txt": "x"}
    project = rock_project.read(make(tmp_path, files, RESOLUTE + parts))
    assert [name for name, _ in project.files()] == ["manage.py", "my_site/wsgi.py"]
    assert project.packages == ("httpx", "gunicorn>=22")
    assert [(step.arguments, step.directory) for step in project.parts.steps] == [(("collectstatic",), "/app/front")]
    assert project.notes == ()
    assert layer(project)["services"]["django"]["command"] == (
        "/bin/python3 -m gunicorn -c /var/lib/gunicorn/gunicorn.conf.py 'my_site.wsgi:application' -k [ sync ]"
    )


@pytest.mark.parametrize(
    ("text", "part", "wanted"),
    [
        (ROCKCRAFT, "django-framework.dependencies", "django-framework/dependencies"),
        (RESOLUTE, "django-framework/dependencies", "django-framework.dependencies"),
    ],
)
def test_a_part_with_the_name_of_another_base(tmp_path, text, part, wanted):
    with pytest.raises(BuildError, match="the extension's parts are called") as caught:
        rock_project.read(make(tmp_path, USUAL, f"{text}parts:\n  {part}:\n    python-packages: [httpx]\n"))
    assert caught.value.code == "rockcraft-yaml"
    assert wanted in caught.value.fix
