"""Evaluated problems: each on a project whose settings are really imported, in the sandbox; and its near miss."""

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from docs.cases import cases
from nuages.build.check import check
from nuages.build.probe import probe
from nuages.cli.init import command as init
from nuages.extension import codes

LAYOUTS = Path(__file__).parents[2] / "examples" / "layouts"
ROWS = [row for row in codes.CODES if row.by == codes.EVALUATED]
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def report(root):
    found = probe(root, Path("charm"))
    return check(Path("charm"), found.problems, evaluated=True, commands=found.commands)


def evaluated(case, kind, tmp_path):
    root = tmp_path / "notes"
    root.mkdir()
    case.write(kind, root)
    os.chdir(root)
    return report(root).problems


@pytest.fixture(autouse=True)
def _back(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # undone afterwards, wherever the test has gone


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_it_fires_with_its_place(row, tmp_path):
    found = {problem.code: problem for problem in evaluated(cases()[row.name], "fires", tmp_path)}
    problem = found[row.name]
    assert problem.file == "notes/notes/settings.py"
    assert problem.line > 0
    assert problem.fix


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_near_miss_is_clean(row, tmp_path):
    assert [str(problem) for problem in evaluated(cases()[row.name], "near", tmp_path)] == []


@pytest.mark.slow
@pytest.mark.parametrize("layout", sorted(path.name for path in LAYOUTS.iterdir() if path.is_dir()))
def test_a_layout_with_its_bridge_is_well(layout, tmp_path):
    root = tmp_path / layout
    shutil.copytree(LAYOUTS / layout, root)
    assert CliRunner().invoke(init, [str(root), "--yes", "--settings"], catch_exceptions=False).exit_code == 0
    os.chdir(root)
    found = report(root)
    assert [str(problem) for problem in found.problems] == []


@pytest.mark.slow
def test_without_the_bridge_it_is_not(tmp_path):
    root = tmp_path / "environ"
    shutil.copytree(LAYOUTS / "environ", root)
    assert CliRunner().invoke(init, [str(root), "--yes"], catch_exceptions=False).exit_code == 0
    os.chdir(root)
    found = {problem.code for problem in probe(root, Path("charm")).problems}
    assert {"hosts-refused", "sqlite-in-force"} <= found or "settings-fail" in found


ATTEMPTS = """
import json, os, pathlib, socket

def tried(what):
    try:
        return repr(what())
    except OSError as error:
        return error.strerror

def connected():
    with socket.create_connection(("192.0.2.1", 80), timeout=5):
        return "connected"

raise RuntimeError(json.dumps({
    "network": tried(connected),
    "app": tried(lambda: pathlib.Path("/django/app/x").write_text("x")),
    "usr": tried(lambda: pathlib.Path("/usr/x").write_text("x")),
    "tmp": tried(lambda: pathlib.Path("/tmp/x").write_text("x")),
    "home": tried(lambda: sorted(os.listdir(os.environ["HOME_OF_HOST"]))),
    "shadow": tried(lambda: pathlib.Path("/etc/shadow").read_text()),
    "uid": os.getuid(),
    "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
    "variables": sorted(name for name in os.environ if name.startswith(("XDG_", "SSH_", "PYTEST_"))),
}))
"""


def test_the_projects_code_runs_in_a_sandbox(tmp_path):
    case = cases()["settings-fail"]
    root = tmp_path / "notes"
    root.mkdir()
    case.write("near", root)
    settings = root / "notes/notes/settings.py"
    text = ATTEMPTS.replace('os.environ["HOME_OF_HOST"]', repr(str(tmp_path)))
    settings.write_text(settings.read_text() + text.replace("json.dumps(", "'|' + json.dumps("))
    os.chdir(root)
    whole = "".join(problem.why for problem in probe(root, Path("charm")).problems if problem.code == "settings-fail")
    assert "RuntimeError" in whole
    found = json.loads(whole[whole.index("{") :])
    assert found == {
        "network": "Network is unreachable",
        "app": "Read-only file system",
        "usr": "Read-only file system",
        "tmp": "1",
        "home": "No such file or directory",
        "shadow": "No such file or directory",
        "uid": 584792,
        "processes": 2,
        "variables": [],
    }


OWN = """\
import json

import ops

import nuages.charm
from nuages.charm import Variable


class Charm(nuages.charm.DjangoCharm):
    aliases = {"SITE_KEY": "DJANGO_SECRET_KEY"}

    @staticmethod
    def extra_variables(facts, environment):
        hosts = ",".join(json.loads(environment["DJANGO_ALLOWED_HOSTS"]))
        related = {relation.endpoint for relation in facts.relations}
        return [
            Variable("SITE_HOSTS", hosts, "src/charm.py"),
            Variable("SITE_DEBUG", "1" if "postgresql" not in related else "", "src/charm.py"),
            Variable("SITE_GREETING", str(facts.config.get("greeting")), "src/charm.py"),
        ]


if __name__ == "__main__":
    ops.main(Charm)
"""
SETTINGS = """\
SECRET_KEY = os.environ["SITE_KEY"]
DEBUG = bool(os.environ["SITE_DEBUG"])
ALLOWED_HOSTS = os.environ["SITE_HOSTS"].split(",")
assert os.environ["SITE_GREETING"] == "None"
"""


@pytest.fixture
def own(tmp_path):
    """A project whose settings read what only the charm's own class makes."""
    root = tmp_path / "notes"
    root.mkdir()
    cases()["settings-fail"].write("near", root)
    settings = root / "notes/notes/settings.py"
    settings.write_text(settings.read_text() + SETTINGS)
    (root / "charm/src/charm.py").write_text(OWN)
    os.chdir(root)
    return root


def test_the_charms_own_variables_are_asked_for(own):
    found = probe(own, Path("charm"))
    assert (found.problems, found.note) == ([], "")
    (own / "charm/src/charm.py").write_text(OWN.replace('"SITE_HOSTS", hosts', '"SITE_HOSTS", "other"'))
    assert [problem.code for problem in probe(own, Path("charm")).problems] == ["hosts-refused"]


def test_a_charm_that_cannot_be_asked_is_told(own):
    text = OWN.replace("        related = {", '        facts.relations[9].bag["x"]\n        related = {')
    (own / "charm/src/charm.py").write_text(text)
    found = probe(own, Path("charm"))
    line = text[: text.index("facts.relations[9]")].count("\n") + 1
    assert (
        found.note == f"src/charm.py:{line} could not be asked for its variables: IndexError: tuple index out of range"
    )
    assert [problem.code for problem in found.problems] == ["settings-fail"]
