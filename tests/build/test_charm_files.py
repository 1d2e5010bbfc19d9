"""Which of a charm's files are packed: those that git tracks, else all but a developer's own."""

import shutil
import subprocess

import pytest

from nuages.build.charm_files import own_files, wanted
from nuages.build.errors import BuildError


def git(directory, *words):
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *words], cwd=directory, check=True, capture_output=True)


@pytest.fixture
def charm(tmp_path):
    root = tmp_path / "project/charm"
    for name, text in {
        "charmcraft.yaml": "name: a\n",
        "requirements.txt": "",
        "src/charm.py": "",
        "src/helper.py": "",
        "lib/charms/x/v0/y.py": "",
        "templates/a.j2": "",
        "data/table.csv": "",
        "icon.svg": "<svg/>",
        "tests/test_charm.py": "",
        "src/__pycache__/charm.cpython-312.pyc": "x",
        "src/stale.pyc": "x",
        ".env": "SECRET=1",
        "other_amd64.charm": "zip",
        "venv/lib/x.py": "",
        "myenv/pyvenv.cfg": "",
        "myenv/x.py": "",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


OWN = ["data/table.csv", "icon.svg", "lib/charms/x/v0/y.py", "src/charm.py", "src/helper.py", "templates/a.j2"]


def test_without_git_all_but_what_is_the_developers(charm):
    found = own_files(charm)
    assert list(found.files) == OWN
    assert found.notes == ()


def test_only_what_git_tracks(charm):
    git(charm.parent, "init")
    (charm.parent / ".gitignore").write_text("*.pyc\nvenv\nmyenv\n*.charm\n.env\nlocal.py\n")
    git(charm.parent, "add", "-A")
    (charm / "src/junk.py").write_text("")
    (charm / "src/local.py").write_text("")
    (charm / "src/helper.py").unlink()
    (charm / "tests/more.py").write_text("")
    found = own_files(charm)
    assert list(found.files) == [name for name in OWN if name != "src/helper.py"]
    [note] = found.notes
    assert "src/junk.py" in note
    assert "git add" in note
    assert "local.py" not in note
    assert "more.py" not in note


def test_a_charm_that_git_does_not_know_yet_is_packed(charm):
    git(charm.parent, "init")
    assert list(own_files(charm).files) == OWN


def test_the_variables_of_a_git_hook_do_not_lead_astray(charm, tmp_path, monkeypatch):
    git(charm.parent, "init")
    git(charm.parent, "add", "charm/src/charm.py")
    git(tmp_path, "init", "elsewhere")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere/.git"))
    assert list(own_files(charm).files) == ["src/charm.py"]


def test_git_that_does_not_answer_is_told(charm):
    (charm.parent / ".git").write_text("gitdir: /nowhere\n")
    found = own_files(charm)
    assert list(found.files) == OWN
    assert "git does not say" in found.notes[0]


def test_without_the_program_git_all_are_taken_and_it_is_told(charm, monkeypatch):
    git(charm.parent, "init")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    found = own_files(charm)
    assert list(found.files) == OWN
    assert "git is not installed" in found.notes[0]


def test_the_projects_licence_is_the_charms_unless_it_has_its_own(charm):
    (charm.parent / "LICENSE").write_text("of the project")
    assert own_files(charm).files["LICENSE"].read_text() == "of the project"
    (charm / "LICENSE").write_text("of the charm")
    assert own_files(charm).files["LICENSE"].read_text() == "of the charm"
    (charm / "LICENSE").rename(charm / "COPYING")
    assert "LICENSE" not in own_files(charm).files


def test_a_folder_that_is_also_the_project_s_gives_only_what_is_the_charm_s(charm):
    (charm / "rockcraft.yaml").write_text("name: a\n")
    (charm / "mysite").mkdir()
    (charm / "mysite/settings.py").write_text("")
    assert list(own_files(charm).files) == [name for name in OWN if name != "data/table.csv"]


@pytest.mark.parametrize("name", ["dispatch", "hooks/install", "explain"])
def test_what_packing_writes_itself_is_refused(charm, name):
    (charm / name).parent.mkdir(exist_ok=True)
    (charm / name).write_text("#!/bin/sh\n")
    with pytest.raises(BuildError, match="packing writes") as caught:
        own_files(charm)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("name", "is_wanted"),
    [
        ("src/tests/cases.py", True),
        ("src/build/x.py", True),
        ("src/.secret", False),
        ("src/a.egg-info/PKG-INFO", False),
        ("build/x", False),
        ("src/charm.py~", False),
        ("README.md", True),
    ],
)
def test_names(name, is_wanted):
    assert wanted(name) is is_wanted
