"""The rock of the example: built for real, entered with bubblewrap, built again when something changes."""

import json
import os
import shutil
import subprocess

import pytest
import yaml
from click.testing import CliRunner

from nuages.build import environment as environment_module
from nuages.build import rock as rock_module
from nuages.build.errors import BuildError
from nuages.build.rock import rock
from nuages.cli.rock import command
from nuages.engine.programs import pythons
from nuages.engine.sandbox.image import Image
from tests.build.conftest import EXAMPLE, tree

pytestmark = pytest.mark.usefixtures("cache", "statsd")
UID = 584792


@pytest.fixture(scope="module")
def built(cache, statsd):
    return rock(EXAMPLE)


@pytest.fixture(scope="module")
def image(built):
    return Image.load(built.directory)


def test_what_is_in_it(built, image, statsd):
    assert built.directory.name == built.digest
    assert image.root == built.directory / "rootfs"
    assert image.environment["PATH"].split(":")[0] == "/bin"
    assert image.owners == {"/var/log/django": UID}
    assert image.notes == built.notes
    root = image.root
    assert (root / "django/app/manage.py").is_file()
    assert not (root / "django/app/db.sqlite3").exists()
    layers = list((root / "var/lib/pebble/default/layers").iterdir())
    assert [path.name for path in layers] == ["001-notes.yaml"]
    command = yaml.safe_load(layers[0].read_text())["services"]["django"]["command"]
    assert command == "/bin/python3 -m gunicorn -c /django/gunicorn.conf.py 'notes.wsgi:application' -k [ sync ]"
    assert yaml.safe_load((root / ".rock/metadata.yaml").read_text())["name"] == "notes"
    assert "django_response_code" in (root / "statsd-mapping.conf").read_text()
    targets = {mount.target: mount.source for mount in image.mounts}
    assert targets["/bin/statsd_exporter"] == statsd
    for mount in image.mounts:
        assert mount.source.exists()
        assert not mount.writable
        assert mount.target == "/bin/statsd_exporter" or (root / mount.target[1:]).is_dir()


def test_a_second_build_finds_the_first(built, monkeypatch):
    def fail(*_, **__):
        raise AssertionError("nothing may be read or run again")

    monkeypatch.setattr(subprocess, "run", fail)
    monkeypatch.setattr("nuages.build.rock.content_digest", fail)
    assert rock(EXAMPLE) == built


def test_a_touched_file_is_the_same_rock_an_edited_one_another(example, built):
    first = rock(example)
    assert first.digest == built.digest
    template = example / "notes/board/templates/board/base.html"
    os.utime(template, (1, 1))
    assert rock(example).digest == first.digest
    template.write_text(template.read_text() + "<!-- new -->\n")
    second = rock(example)
    assert second.digest != first.digest
    assert first.directory.is_dir()
    assert "new" in (second.directory / "rootfs/django/app/board/templates/board/base.html").read_text()


def test_a_new_requirement_is_installed(example, make_wheel):
    wheel = make_wheel("greetings")
    before = rock(example)
    with (example / "requirements.txt").open("a") as file:
        file.write(f"{wheel}\n")
    after = rock(example)
    assert after.digest != before.digest
    [packages] = [m.source for m in Image.load(after.directory).mounts if m.target == "/lib"]
    assert list(packages.glob("python3.*/site-packages/greetings/__pycache__/__init__.*.pyc"))


def test_a_program_that_the_rock_would_lack_is_told(example, make_wheel):
    with (example / "requirements.txt").open("a") as file:
        file.write(f"{make_wheel('pydot')}\n")
    (note,) = rock(example).notes[len(rock(EXAMPLE).notes) :]
    assert note.startswith("pydot calls dot")
    assert "stage-packages: [graphviz] in rockcraft.yaml" in note


def test_a_strict_umask_hides_nothing_from_the_service(example, make_wheel):
    (example / "requirements.txt").write_text(f"{make_wheel('greetings')}\n{make_wheel('gunicorn', '23.0.0')}\n")
    (example / "notes/secretive.py").write_text("A = 1\n")
    (example / "notes/secretive.py").chmod(0o600)
    old = os.umask(0o077)
    try:
        result = rock(example)
    finally:
        os.umask(old)
    [packages] = [m.source for m in Image.load(result.directory).mounts if m.target == "/lib"]
    for root in (result.directory / "rootfs", packages.parent):
        for path in [root, *root.rglob("*")]:
            wanted = 0o555 if path.is_dir() else 0o444
            assert path.is_symlink() or path.stat().st_mode & wanted == wanted, path


def test_a_requirement_that_does_not_install(example, cache):
    before = tree(cache / "environments")
    (example / "requirements.txt").write_text("ops==3.9.0\nops==3.8.0\n")
    with pytest.raises(BuildError) as caught:
        rock(example)
    assert "cannot install the packages of " in str(caught.value)
    assert "ops==3.8.0" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "requirements.txt" in caught.value.fix
    assert tree(cache / "environments") == before


def test_another_python_than_the_rock_s_is_told(example, monkeypatch):
    here = pythons.find("3.12")
    monkeypatch.setattr(pythons, "find", lambda *_, **__: here)
    rockcraft = example / "rockcraft.yaml"
    rockcraft.write_text(rockcraft.read_text().replace("24.04", "22.04"))
    result = rock(example)
    expected = () if here.version == "3.10" else (f"Python {here.version}, rock: 3.10",)
    assert result.notes == expected
    assert Image.load(result.directory).notes == expected


@pytest.fixture
def counted(monkeypatch):
    """How often packages are installed, the application is copied and modules of it are compiled."""
    counts = {"environment": 0, "copy": 0}
    install, copy = environment_module._install, rock_module.compile_all

    def installing(*arguments):
        counts["environment"] += 1
        return install(*arguments)

    def copying(*arguments):
        counts["copy"] += 1
        return copy(*arguments)

    monkeypatch.setattr(environment_module, "_install", installing)
    monkeypatch.setattr(rock_module, "compile_all", copying)
    return counts


def test_only_what_changed_is_made_again(example, make_wheel, counted):
    (example / "requirements.txt").write_text(f"{make_wheel('greetings')}\n{make_wheel('gunicorn', '23.0.0')}\n")
    (example / "notes/unlike_any_other.py").write_text("A = 'counted'\n")
    rock(example)
    assert counted == {"environment": 1, "copy": 1}
    rock(example)
    assert counted == {"environment": 1, "copy": 1}
    (example / "notes/unlike_any_other.py").write_text("A = 'changed'\n")
    changed = rock(example)
    assert counted == {"environment": 1, "copy": 2}
    with (example / "requirements.txt").open("a") as file:
        file.write(f"{make_wheel('salutes')}\n")
    again = rock(example)
    assert counted == {"environment": 2, "copy": 2}
    assert again.digest != changed.digest
    module = "rootfs/django/app/unlike_any_other.py"
    assert (again.directory / module).read_text() == (changed.directory / module).read_text() == "A = 'changed'\n"
    (example / "rockcraft.yaml").write_text(
        (example / "rockcraft.yaml").read_text() + "services:\n  a-worker: {command: b}\n"
    )
    rock(example)
    assert counted == {"environment": 2, "copy": 2}


COLLECT = """
parts:
  static:
    plugin: nil
    after: [django-framework/install-app, django-framework/dependencies]
    override-prime: |
      craftctl default
      cd $CRAFT_PRIME/django/app
      DJANGO_SECRET_KEY=none python3 manage.py collectstatic --noinput
"""


def test_commands_of_parts_are_run(example):
    settings = example / "notes/notes/settings.py"
    settings.write_text(settings.read_text() + "\nSTATIC_ROOT = BASE_DIR / 'collected'\n")
    plain = rock(example)
    (example / "rockcraft.yaml").write_text((example / "rockcraft.yaml").read_text() + COLLECT)
    result = rock(example)
    application = result.directory / "rootfs/django/app"
    assert (application / "collected/board/notes.css").is_file()
    assert (application / "collected/admin/css/base.css").is_file()
    assert not (plain.directory / "rootfs/django/app/collected").exists()
    owner = application.stat().st_uid
    assert {path.stat().st_uid for path in application.rglob("*")} == {owner} == {os.geteuid()}
    assert result.notes == plain.notes
    assert not (example / "notes/collected").exists()


def test_messages_are_compiled(example):
    if not shutil.which("msgfmt"):
        pytest.skip("gettext is not installed")
    messages = example / "notes/board/locale/de/LC_MESSAGES/django.po"
    messages.parent.mkdir(parents=True)
    messages.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "New"\nmsgstr "Neu"\n')
    part = COLLECT.replace("collectstatic --noinput", "compilemessages")
    (example / "rockcraft.yaml").write_text((example / "rockcraft.yaml").read_text() + part)
    result = rock(example)
    compiled = result.directory / "rootfs/django/app/board/locale/de/LC_MESSAGES/django.mo"
    assert b"Neu" in compiled.read_bytes()
    assert not messages.with_suffix(".mo").exists()


def test_a_command_of_a_part_that_fails(example, cache):
    (example / "rockcraft.yaml").write_text((example / "rockcraft.yaml").read_text() + COLLECT)
    before = tree(cache / "images")
    with pytest.raises(BuildError) as caught:
        rock(example)
    message = str(caught.value)
    assert message.startswith("cannot build the rock: part static: manage.py collectstatic --noinput: ")
    assert "STATIC_ROOT" in message
    assert "STATIC_ROOT" in caught.value.fix
    assert tree(cache / "images") == before


def test_the_command(example):
    result = CliRunner().invoke(command, ["--format", "json", str(example)], catch_exceptions=False)
    document = json.loads(result.stdout)
    assert document["name"] == "notes"
    assert document["base"] == "ubuntu@24.04"
    assert document["root"] == str(rock(example).directory / "rootfs")
    assert set(document["services"]) == {"django", "statsd-exporter"}
    text = CliRunner().invoke(command, [str(example)], catch_exceptions=False).stdout
    assert document["root"] in text
    assert "django" in text
    with pytest.raises(BuildError, match=r"there is no rockcraft\.yaml"):
        CliRunner().invoke(command, [str(example / "notes")], catch_exceptions=False)


@pytest.fixture
def enter(image, tmp_path):
    """A runner of commands inside the rock, as the sandbox sets it up."""
    if not shutil.which("bwrap") or os.geteuid() != 0:
        pytest.skip("needs bubblewrap on PATH and root to become the service's user; tests/e2e enters it in every mode")
    root = tmp_path / "root"
    shutil.copytree(image.root, root, symlinks=True)
    for name, target in (("lib64", "usr/lib64"), ("sbin", "usr/sbin")):
        (root / name).symlink_to(target)
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text(f"root:x:0:0::/root:/bin/sh\n_daemon_:x:{UID}:{UID}::/:/bin/false\n")
    words = ["bwrap", "--bind", str(root), "/", "--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev"]
    words += ["--perms", "1777", "--tmpfs", "/tmp", "--clearenv", "--setenv", "PATH", image.environment["PATH"]]
    for mount in image.mounts:
        words += ["--ro-bind", str(mount.source), mount.target]
    words += ["--chdir", "/django/app"]

    def run(*command: str, user: int = UID) -> str:
        become = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups"]
        done = subprocess.run([*words, *become, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    tmp_path.chmod(0o755)
    return run


@pytest.mark.parametrize("user", [0, UID])
def test_the_interpreter_is_the_rock_s(enter, user):
    script = "import sys, django, gunicorn; print(sys.prefix, sys.executable, django.__file__, django.__cached__)"
    prefix, executable, django, cached = enter("python3", "-c", script, user=user).split()
    assert (prefix, executable) == ("/", "/bin/python3")
    assert django.startswith("/lib/python3.")
    assert cached.startswith("/lib/python3.")
    assert enter("/bin/python3", "-m", "gunicorn", "--version", user=user).startswith("gunicorn")
    assert enter("gunicorn", "--version", user=user).startswith("gunicorn")
    assert enter("/bin/statsd_exporter", user=user) == "exporter\n"
    assert enter("/bin/sh", "-c", "cat /pyvenv.cfg", user=user).startswith("home = ")


def test_the_project_checks_inside(enter):
    assert "no issues" in enter("python3", "manage.py", "check")


def test_tracebacks_name_paths_of_the_container(enter):
    script = "import django.apps.registry as r, board; print(r.Apps.__init__.__code__.co_filename, board.__cached__)"
    code, cached = enter("python3", "-c", script).split()
    assert code.startswith("/lib/python3.")
    assert code.endswith("site-packages/django/apps/registry.py")
    assert cached.startswith("/django/app/board/__pycache__/")
