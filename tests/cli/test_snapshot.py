"""`nuages snapshot`: what it asks of the daemon, and what it says."""

import json

import pytest

from tests.cli.fake_daemon import Refuse

M = "/v1/models/notes"
KEPT = {"name": "first", "created": 1.0, "size": 40_200_000, "applications": {"pg": "postgresql-k8s", "notes": "notes"}}


@pytest.fixture
def settled(daemon):
    daemon.on("GET", f"{M}/settled", {"settled": True})
    return daemon


def test_create_says_how_to_go_back(settled, nuages):
    settled.on("PUT", f"{M}/snapshots/first", KEPT)
    outcome = nuages("snapshot", "create", "first")
    assert (outcome.code, outcome.out) == (0, "")
    assert "notes is kept as first (40.2 MB)." in outcome.err
    assert "snapshot restore first" in outcome.err
    assert ("GET", f"{M}/settled", {"wait": "300"}) in settled.asked


def test_without_a_name_the_time_is_the_name(settled, nuages):
    def answer(method, target, body):
        settled.asked.append((method, target, body))
        return KEPT if method == "PUT" else settled.answers.get((method, target.partition("?")[0]))

    settled.answer = answer
    assert nuages("snapshot", "create").code == 0
    (target,) = [target for method, target, _ in settled.asked if method == "PUT"]
    assert target.startswith(f"{M}/snapshots/20")


def test_restore_says_how_to_undo_it(settled, nuages):
    settled.on("POST", f"{M}/snapshots/first/restore", KEPT)
    outcome = nuages("snapshot", "restore", "first")
    assert (outcome.code, outcome.out) == (0, "")
    assert "notes is back to first." in outcome.err
    assert "snapshot restore before-restore" in outcome.err
    assert ("GET", f"{M}/settled", {"wait": "300"}) in settled.asked


def test_remove(daemon, nuages):
    daemon.on("DELETE", f"{M}/snapshots/first", {})
    outcome = nuages("snapshot", "remove", "first")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "first is removed.\n")


def test_list(daemon, nuages):
    daemon.on("GET", f"{M}/snapshots", [])
    assert nuages("snapshot", "list").out == "There is no snapshot yet.\n"
    assert json.loads(nuages("snapshot", "list", "--format", "json").out) == {"snapshots": []}
    daemon.on("GET", f"{M}/snapshots", [KEPT])
    assert json.loads(nuages("snapshot", "list", "--format", "json").out) == {"snapshots": [KEPT]}
    head, row = nuages("snapshot", "list").out.splitlines()
    assert head.split() == ["Snapshot", "Created", "Size", "Applications"]
    assert row.startswith("first ")
    assert row.endswith("40.2 MB  notes, pg")


@pytest.mark.parametrize("name", ["", "a/b", "../x", "First", "a--b", "a\nb"])
@pytest.mark.parametrize("verb", ["create", "restore", "remove"])
def test_what_is_no_name_is_wrong_usage(daemon, nuages, verb, name):
    outcome = nuages("snapshot", verb, name)
    assert outcome.code == 2
    assert "a snapshot's name is made of" in outcome.err
    assert not daemon.asked


def test_a_refusal_is_said_with_its_fix(daemon, nuages):
    daemon.on("PUT", f"{M}/snapshots/first", Refuse("cannot make snapshot first: there is one", "choose another"))
    outcome = nuages("snapshot", "create", "first")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "error: cannot make snapshot first: there is one\nfix:   choose another\n"
