"""Which programs an application calls that its rock would lack."""

import shutil
from pathlib import Path

import pytest

from nuages.build import called_programs, rock_programs
from nuages.build.environment import Environment
from nuages.build.rock_programs import Program
from nuages.engine.programs import pythons
from nuages.extension.load import load

HERE = {"git", "node", "sed", "mytool", "celery"}
ROCK = """\
name: notes
services:
  thumbs-worker: {command: /usr/bin/mytool --watch}
  celery-worker: {command: celery -A notes worker}
  poll-scheduler: {command: 'bash -ec "while :; do sed -n 1p x; node poll.js; sleep 5; done"'}
  own-worker: {command: /django/app/run}
"""


@pytest.fixture
def made(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    here = {name: f"/usr/bin/{name}" for name in HERE}
    monkeypatch.setattr(rock_programs.shutil, "which", lambda name, path="": here.get(name))
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "celery").write_text("#!/bin/python3\n")
    (commands / "mytool").symlink_to("/usr/bin/mytool")
    made = Environment(tmp_path, "digest", pythons.Python("3.12", Path("/usr/bin/python3"), Path("/usr")))
    (made.site_packages / "GitPython-3.1.dist-info").mkdir(parents=True)
    (made.site_packages / "pdf2image-1.17.dist-info").mkdir(parents=True)
    return made


@pytest.fixture
def files(tmp_path):
    texts = {
        "notes/export.py": "import subprocess\nsubprocess.run(['node', 'a.js'])\nsubprocess.run(['ffmpeg', '-i'])\n",
        "notes/tests/test_export.py": "import subprocess\nsubprocess.run(['mytool'])\n",
        "migrate.sh": "#!/bin/sh\nsed s/a/b/ x\nceleryctl\n",
    }
    for name, text in texts.items():
        (tmp_path / "app" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "app" / name).write_text(text)
    return [(name, tmp_path / "app" / name) for name in texts]


DOCUMENT = load(ROCK, "rockcraft.yaml")
FOUND = [
    Program("node", "notes/export.py", True),
    Program("mytool", "service thumbs-worker", True),
    Program("git", "GitPython", True),
    Program("pdftoppm", "pdf2image", False),
]


def test_what_neither_the_environment_nor_the_base_has(made, files):
    assert rock_programs.lent(made, DOCUMENT, files, "content", bare=False) == FOUND


def test_a_bare_rock_lacks_what_every_ubuntu_has(made, files):
    found = rock_programs.lent(made, DOCUMENT, files, "content", bare=True)
    assert {program.name for program in found} - {program.name for program in FOUND} == {"sed"}


def test_code_is_read_once(made, files, monkeypatch):
    assert rock_programs.lent(made, DOCUMENT, files, "content", bare=False) == FOUND
    monkeypatch.setattr(called_programs, "of_module", lambda _: 1 / 0)
    assert rock_programs.lent(made, DOCUMENT, files, "content", bare=False) == FOUND
    with pytest.raises(ZeroDivisionError):
        rock_programs.lent(made, DOCUMENT, files, "other content", bare=False)


def test_what_is_said(made, monkeypatch):
    monkeypatch.setattr(rock_programs.subprocess, "run", _no_package)
    node, mytool, git, pdftoppm = rock_programs.notes(FOUND, [])
    assert node == (
        "notes/export.py calls node of this machine, and the rock would lack it: "
        "stage-packages: [nodejs] in rockcraft.yaml"
    )
    assert mytool.endswith("stage-packages with the package of Ubuntu that has it in rockcraft.yaml")
    assert "[git]" in git
    assert pdftoppm == (
        "pdf2image calls pdftoppm, which neither this machine nor the rock has: "
        "stage-packages: [poppler-utils] in rockcraft.yaml, and `sudo apt install poppler-utils` here"
    )
    assert rock_programs.notes(FOUND, ["nodejs", "git", "poppler-utils"]) == [mytool]


def _no_package(*_arguments, **_options):
    class Done:
        stdout = "dpkg-query: no path found\n"

    return Done


def test_one_note_for_each_package():
    found = [Program("ffmpeg", "pydub", False), Program("ffprobe", "ffmpeg_python", False)]
    (note,) = rock_programs.notes(found, [])
    assert note.startswith("pydub calls ffmpeg and ffprobe, ")


def test_the_package_is_asked_of_dpkg():
    if not shutil.which("dpkg-query") or not shutil.which("dpkg-deb"):
        pytest.skip("this is no Debian")
    (note,) = rock_programs.notes([Program("dpkg-deb", "a.py", True)], [])
    assert "stage-packages: [dpkg]" in note
