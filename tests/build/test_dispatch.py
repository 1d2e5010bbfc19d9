"""The packed charm starts with every Python of this machine and nothing else; charmcraft accepts it."""

import json
import os
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest

from nuages.build.pack import pack
from nuages.build.uv import find_uv
from nuages.engine.programs.pythons import _installed, inspect
from tests.build.conftest import EXAMPLE
from tests.extension.comparison import theirs

CHARMCRAFT = theirs.python()  # now: the tests give themselves another cache
ROOT = EXAMPLE.parents[1]

TOOL = """\
#!/bin/sh
echo "${0##*/} $*" >> "$CALLS"
case "${0##*/}" in
    is-leader) echo true ;;
    relation-ids | relation-list | secret-ids) echo '[]' ;;
    credential-get) exit 1 ;;
    *-get) echo '{}' ;;
esac
"""
TOOLS = (
    "application-version-set", "config-get", "credential-get", "goal-state", "is-leader", "juju-log", "network-get",
    "open-port", "opened-ports", "relation-get", "relation-ids", "relation-list", "relation-set", "secret-get",
    "secret-ids", "secret-info-get", "state-get", "state-set", "status-get", "status-set",
)  # fmt: skip


def every_python():
    """Every CPython from 3.10 on that is on this machine, one of each kind and minor version."""
    found = {}
    for version, path in _installed():
        if tuple(map(int, version.split("."))) >= (3, 10) and (python := inspect(path)):
            found.setdefault((python.version, str(python.prefix)), python)
    return [found[key] for key in sorted(found)]


PYTHONS = every_python()


@pytest.fixture(scope="module")
def charm(cache, tmp_path_factory):
    directory = tmp_path_factory.mktemp("charm")
    with zipfile.ZipFile(pack(EXAMPLE / "charm", directory).path) as archive:
        for info in archive.infolist():
            Path(archive.extract(info, directory / "unpacked")).chmod(info.external_attr >> 16)
    return directory / "unpacked"


@pytest.fixture
def tools(tmp_path):
    directory = tmp_path / "tools"
    directory.mkdir()
    (directory / "tool").write_text(TOOL)
    (directory / "tool").chmod(0o755)
    for name in TOOLS:
        (directory / name).symlink_to("tool")
    return directory


def test_there_are_several_pythons():
    if len({python.version for python in PYTHONS}) < 2:
        pytest.skip(f"only {', '.join(python.version for python in PYTHONS)} is on this machine")
    assert all(python.version >= "3.10" for python in PYTHONS)


@pytest.mark.parametrize("python", PYTHONS, ids=lambda python: f"{python.version}-{python.prefix.name}")
def test_dispatch_runs_with_nothing_else(charm, tools, tmp_path, python):
    environment = tmp_path / "venv"
    words = [find_uv(), "venv", "--quiet", "--offline", "--python", str(python.executable), str(environment)]
    subprocess.run(words, check=True)
    calls = tmp_path / "calls"
    for event in ("install", "leader-elected", "config-changed", "start", "update-status"):
        variables = {
            "PATH": f"{environment}/bin:{tools}:/usr/bin:/bin",
            "CALLS": str(calls),
            "JUJU_DISPATCH_PATH": f"hooks/{event}",
            "JUJU_UNIT_NAME": "notes/0",
            "JUJU_MODEL_NAME": "m",
            "JUJU_MODEL_UUID": "11111111-2222-4333-8444-555555555555",
            "JUJU_CHARM_DIR": str(charm),
            "JUJU_VERSION": "3.6.0",
        }
        words = [f"{name}={value}" for name, value in variables.items()]
        done = subprocess.run(
            ["/usr/bin/env", "-i", *words, "./dispatch"],
            cwd=charm, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stdout + done.stderr
    assert "status-set --application=False waiting -- waiting for Pebble" in calls.read_text()


@pytest.mark.slow
def test_charmcraft_analyse_finds_nothing(charm, cache, tmp_path):
    if CHARMCRAFT is None:
        pytest.skip("charmcraft is not on this machine: `make charmcraft` fetches it (130 MB, from PyPI)")
    path = pack(EXAMPLE / "charm", tmp_path).path
    script = CHARMCRAFT.with_name("charmcraft")
    words = [str(CHARMCRAFT), str(script), "analyse", "--format", "json", str(path)]
    homes = {f"XDG_{name}": str(tmp_path) for name in ("STATE_HOME", "CACHE_HOME", "RUNTIME_DIR")}
    environment = {**os.environ, **homes}
    done = subprocess.run(words, capture_output=True, text=True, timeout=110, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    results = {row["name"]: row["result"] for row in document}
    good = {"ok", "nonapplicable", "python", "operator"}
    assert {name: result for name, result in results.items() if result not in good} == {}
    assert results["language"] == "python"
    assert results["framework"] == "operator"
    assert results["entrypoint"] == results["ops-main-call"] == results["metadata"] == "ok"


CHARMLINT = "charmlint==0.3.0"
"""It judges a charm's sources; of a packed one it can say what is broken, by the severity `error`."""


@pytest.mark.slow
def test_charmlint_finds_no_error(charm, tmp_path):
    uv, environment = find_uv(), tmp_path / "venv"
    newest = max(PYTHONS, key=lambda python: tuple(map(int, python.version.split("."))))
    subprocess.run([uv, "venv", "--quiet", "--python", str(newest.executable), str(environment)], check=True)
    words = [uv, "pip", "install", "--quiet", "--python", str(environment / "bin/python"), CHARMLINT]
    if subprocess.run(words, check=False).returncode:
        pytest.skip(f"{CHARMLINT} is not to be had here")
    words = [str(environment / "bin/charmlint"), "--format", "json", str(charm)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    document = json.loads(done.stdout)
    errors = [row for row in document["diagnostics"] if row["severity"] == "error"]
    assert errors == []
    assert not [row for row in document["diagnostics"] if row.get("path") == "dispatch"]


@pytest.mark.slow
@pytest.mark.parametrize("python", PYTHONS, ids=lambda python: f"{python.version}-{python.prefix.name}")
def test_the_same_bytes_from_another_python_user_folder_and_zone(cache, tmp_path, python):
    ours = pack(EXAMPLE / "charm", tmp_path / "ours.charm").digest
    environment = tmp_path / "venv"
    interpreter = str(environment / "bin/python")
    uv = tmp_path / "bin/uv"
    uv.parent.mkdir()
    shutil.copy(find_uv(), uv)
    requirements = ROOT / "requirements/lock.txt"
    subprocess.run([uv, "venv", "--quiet", "--python", str(python.executable), str(environment)], check=True)
    words = [uv, "pip", "install", "--quiet", "--python", interpreter, "-c", _versions(requirements, tmp_path / "pins")]
    subprocess.run([*words, *PACKAGES], check=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(EXAMPLE / "charm", tmp_path / "elsewhere/charm", ignore=ignored)
    shutil.copytree(ROOT / "src", tmp_path / "source", ignore=ignored)
    variables = {
        **os.environ,
        "PATH": f"{uv.parent}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(tmp_path / "source"),
        "TZ": "Pacific/Auckland",
        "LC_ALL": "C",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "UV_CACHE_DIR": str(tmp_path / "uv"),
    }
    become = []
    if os.geteuid() == 0 and all(_open(path) for path in (python.prefix, *python.prefix.parents)):
        become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        for place in (tmp_path, *tmp_path.parents):
            if not _open(place):
                place.chmod(place.stat().st_mode | stat.S_IXOTH)
        os.chown(tmp_path, 65534, 65534)
    command = [*become, interpreter, "-B", "-c", PACK, tmp_path / "elsewhere/charm", tmp_path / "theirs.charm"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ours


PACKAGES = ("click", "ops", "pydantic", "pyyaml", "starlette", "tomli", "uvicorn")
PACK = """
import os, sys
os.umask(0o077)
os.chdir("/")
from pathlib import Path
from nuages.build.pack import pack
print(pack(Path(sys.argv[1]), Path(sys.argv[2])).digest)
"""


def _versions(lock, target):
    """Write the versions of a lock file without its hashes, which name no wheels of other Pythons' resolution."""
    lines = [line.rstrip("\\ ") for line in lock.read_text().splitlines() if line[:1].isalnum()]
    target.write_text("\n".join(lines) + "\n")
    return target


def _open(path):
    return bool(path.stat().st_mode & stat.S_IXOTH)
