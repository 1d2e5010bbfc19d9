"""doctor: what it says follows from what was tried, and each refusal is found by really trying."""

import errno
import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from nuages.cli.doctor import command
from nuages.engine.doctor import trials
from nuages.engine.doctor.findings import ENGINE, findings
from nuages.engine.doctor.trials import Facts, Refusal, Steps
from nuages.engine.programs.table import PROGRAMS
from nuages.engine.sandbox.users import Mode
from tests.engine.pods import as_user
from tests.engine.sandbox import restricted

HERE = Path("/somewhere")
GOOD = Facts(
    system="Linux 6.8",
    machine="x86_64",
    linux=True,
    root=False,
    mode=Mode.RANGE,
    programs={name: HERE / name for name in (*ENGINE, "postgresql")},
    folders={HERE: None},
    free={HERE: 10**10},
    python="3.12",
    commands={name: f"/usr/bin/{name}" for name in trials.COMMANDS},
)


def found(facts, name, python="3.12"):
    [finding] = [finding for finding in findings(facts, python) if finding.name == name]
    return finding


def states(facts):
    return {finding.name: finding.state for finding in findings(facts, "3.12")}


def test_a_good_machine():
    assert set(states(GOOD).values()) == {"ok"}
    assert {"user namespaces", "a bridge in them", "/proc in them", "sub-ids", "bubblewrap", "pebble"} <= set(
        states(GOOD)
    )


REFUSED = replace(GOOD, mode=None, refused=Refusal("cannot make pods: AppArmor", "sudo tee /etc/apparmor.d/nuages"))


@pytest.mark.parametrize(
    ("facts", "name", "state", "text", "fix"),
    [
        (replace(GOOD, linux=False, system="Darwin 24"), "machine", "fail", "Darwin", "virtual machine"),
        (replace(GOOD, machine="riscv64"), "machine", "note", "x86_64 and aarch64", ""),
        (
            replace(GOOD, missing_tools={"ip": Refusal("`ip` is not installed", "sudo apt install iproute2")}),
            "ip", "fail", "not installed", "sudo apt install iproute2",
        ),
        (
            replace(REFUSED, steps=Steps(namespace="not permitted")),
            "user namespaces", "fail", "not permitted", "apparmor.d",
        ),
        (replace(REFUSED, steps=Steps(namespace="not permitted")), "a bridge in them", "note", "not tried", ""),
        (replace(REFUSED, steps=Steps(bridge="RTNETLINK")), "a bridge in them", "fail", "RTNETLINK", "apparmor.d"),
        (replace(REFUSED, steps=Steps(proc="mount: denied")), "/proc in them", "fail", "denied", "apparmor.d"),
        (REFUSED, "a whole model", "fail", "AppArmor", "apparmor.d"),
        (replace(GOOD, mode=Mode.SINGLE), "user namespaces", "ok", "one user", ""),
        (replace(GOOD, mode=Mode.SINGLE), "sub-ids", "note", "newuidmap", "sudo apt install uidmap && sudo usermod"),
        (
            replace(GOOD, bubblewrap=Refusal("bwrap: no", "sudo apt install --reinstall bubblewrap")),
            "bubblewrap", "fail", "makes no container: bwrap: no", "reinstall",
        ),
        (replace(GOOD, programs={"bwrap": None}), "bubblewrap", "note", "from PyPI when it is first needed", ""),
        (replace(GOOD, programs={"pebble": None}), "pebble", "note", "builds it with Go", ""),
        (replace(GOOD, programs={"pebble": None, "go": None}), "go", "note", "75 MB", ""),
        (replace(GOOD, programs={"postgresql": None}), "postgresql", "note", "13 MB", ""),
        (replace(GOOD, python="3.11"), "Python 3.12", "note", "Python 3.11", "uv python install 3.12"),
        (replace(GOOD, python=""), "Python 3.12", "fail", "no Python", "uv python install 3.12"),
        (replace(GOOD, free={HERE: 10**8}), str(HERE), "fail", "100 MB free, about 300 MB", "XDG_CACHE_HOME"),
        (replace(GOOD, needed=10**10), str(HERE), "fail", "are needed", "XDG_CACHE_HOME"),
        (replace(GOOD, folders={HERE: Refusal("belongs to user 0", "sudo chown")}), str(HERE), "fail", "0", "chown"),
        (replace(GOOD, port=8003, taken="in use"), "port 8000", "note", "in use; a new model gets 8003", "--port"),
        (replace(GOOD, port=None, taken="in use"), "port 8000", "fail", "none from 8000 to 8099", "ss -ltnp"),
        (replace(GOOD, commands={}), "git", "note", "does not track", "sudo apt install git"),
        (replace(GOOD, commands={}), "juju", "note", "Kubernetes", "sudo snap install juju"),
        (replace(GOOD, commands={}), "rockcraft", "note", "image", "sudo snap install rockcraft --classic"),
        (replace(GOOD, commands={}), "charmcraft", "note", "Charmhub", "sudo snap install charmcraft --classic"),
    ],
)  # fmt: skip
def test_each_thing_that_can_be_amiss(facts, name, state, text, fix):
    finding = found(facts, name)
    assert finding.state == state
    assert text in finding.text
    assert fix in finding.fix
    assert bool(finding.fix) == bool(fix)


def test_a_model_that_is_refused_is_mended_once():
    facts = replace(REFUSED, steps=Steps(bridge="a", proc="b"))
    assert [finding.name for finding in findings(facts, "3.12") if finding.fix] == ["a bridge in them", "sub-ids"]
    assert states(facts)["user namespaces"] == "ok"


def test_go_is_not_needed_once_all_is_built():
    built = {name: (None if name == "go" else HERE) for name in ENGINE}
    assert "go" not in states(replace(GOOD, programs=built))


def test_this_machine_as_json_and_as_text():
    words = [sys.executable, "-m", "nuages.cli", "doctor"]
    done = subprocess.run([*words, "--format", "json"], capture_output=True, text=True, check=False)
    document = json.loads(done.stdout)
    assert done.returncode == (0 if document["ready"] else 1)
    assert document["ready"] is not any(row["state"] == "fail" for row in document["findings"])
    assert all(set(row) == {"name", "state", "text", "fix"} for row in document["findings"])
    text = subprocess.run(words, capture_output=True, text=True, check=False)
    assert text.returncode == done.returncode
    for row in document["findings"]:
        assert row["name"] in text.stdout
    assert ("`up` can work here." in text.stdout) is document["ready"]


def test_nothing_of_it_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = _children()
    CliRunner().invoke(command, [])
    assert list(tmp_path.iterdir()) == []
    assert _children() <= before


def _children():
    """The processes that are ours: a trial's would be among them."""
    own = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return set(own.read_text().split())


def test_a_failure_is_exit_code_1(monkeypatch):
    monkeypatch.setattr(trials, "examine", lambda *_: replace(GOOD, port=None, taken="in use"))
    result = CliRunner().invoke(command, [], standalone_mode=False)
    assert result.return_value == 1
    assert "FAIL  port 8000" in result.output
    assert "`up` cannot work here: port 8000" in result.output


def test_a_port_that_is_taken_is_found_by_listening(monkeypatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setattr(trials, "FIRST_PORT", other.getsockname()[1])
        port, taken = trials._port()
        assert port is None or port > trials.FIRST_PORT
    assert taken == "in use"


def test_a_folder_that_cannot_be_written_is_found_by_writing(tmp_path, monkeypatch):
    assert trials._writable(tmp_path / "not/yet/there") is None
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    refusal = trials._writable(tmp_path)
    assert refusal is not None
    assert "belongs to user" in refusal.reason
    assert list(tmp_path.iterdir()) == []


def test_a_missing_tool_stops_the_trial_of_a_model(monkeypatch, tmp_path):
    real = shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda name, *rest, **more: None if name == "ip" else real(name, *rest, **more)
    )
    facts = trials.examine(["bwrap"], tmp_path, "3.12")
    assert facts.mode is None
    assert [*facts.missing_tools] == ["ip"]
    assert found(facts, "ip").fix == "sudo apt install iproute2"
    assert "user namespaces" not in states(facts)


def test_a_full_disk_is_an_error_of_the_folder(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(trials.tempfile, "NamedTemporaryFile", full)
    refusal = trials._writable(tmp_path)
    assert refusal is not None
    assert "No space left" in refusal.reason


@pytest.fixture
def user():
    if reason := as_user.available():
        pytest.skip(reason)

    def run(*within):
        done = as_user.run(
            [sys.executable, "-m", "nuages.cli", "doctor", "--format", "json"],
            {"PYTHONPATH": str(as_user.REPOSITORY / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
            timeout=60,
            cwd=as_user.REPOSITORY,
            within=within,
        )
        assert "Traceback" not in done.stderr
        document = json.loads(done.stdout)
        assert done.returncode == (0 if document["ready"] else 1)
        return {row["name"]: row for row in document["findings"]}

    return run


def test_an_ordinary_user(user):
    rows = user()
    assert rows["user namespaces"]["state"] == "ok", rows
    assert rows["sub-ids"]["state"] == "ok" or "newuidmap" in rows["sub-ids"]["text"]
    assert rows["bubblewrap"]["state"] in ("ok", "note")


@pytest.mark.parametrize(
    ("kinds", "name", "works"),
    [
        ("link", "a bridge in them", "user namespaces"),  # /proc neither: what lies over a part of it forbids a new one
        ("mount", "/proc in them", "a bridge in them"),
    ],
)
def test_what_a_policy_refuses_is_found_by_trying(user, kinds, name, works):
    rows = user(sys.executable, restricted.__file__, kinds, "{}")
    assert rows[name]["state"] == "fail"
    assert "sudo apparmor_parser -r" in rows[name]["fix"]
    assert rows[works]["state"] == "ok"


def test_the_programs_of_interest_exist():
    assert set(ENGINE) <= set(PROGRAMS)
