"""`show-application`, and what `remove-application` says of what goes."""

import json

import yaml

from tests.cli.fake_daemon import Refuse

M = "/v1/models/notes"
REMOVED = {
    "units": ["notes/0", "notes/1"],
    "storage": ["data/0", "data/1"],
    "relations": ["notes:postgresql postgresql-k8s:database"],
}
SAID = [
    "will remove application notes",
    "- will remove unit notes/0",
    "- will remove unit notes/1",
    "- will remove storage data/0",
    "- will remove storage data/1",
    "- will remove relation notes:postgresql postgresql-k8s:database",
]


def test_several_applications_are_one_document(daemon, nuages):
    shown = {
        name: {"charm": name, "principal": True, "endpoint-bindings": {"": "alpha"}}
        for name in ("notes", "traefik-k8s")
    }
    for name, document in shown.items():
        daemon.on("GET", f"{M}/applications/{name}", {name: document})
    printed = nuages("show-application", "notes", "traefik-k8s").out
    assert yaml.safe_load(printed) == shown and "    '': alpha\n" in printed
    assert json.loads(nuages("show-application", "notes", "traefik-k8s", "--format", "json").out) == shown
    daemon.on("GET", f"{M}/applications/shop", Refuse('application "shop" not found', "applications: notes", 404))
    unknown = nuages("show-application", "notes", "shop")
    assert (unknown.code, unknown.out) == (1, "") and "fix:   applications: notes" in unknown.err


def test_a_removal_says_what_goes_and_waits(daemon, nuages):
    daemon.change("POST", f"{M}/remove-application")
    daemon.on("POST", f"{M}/remove-application", {"change": "7", "removed": REMOVED})
    outcome = nuages("remove-application", "--no-prompt", "notes")
    assert outcome.code == 0 and outcome.out.splitlines() == SAID
    assert ("GET", f"{M}/changes/7") in [(method, path) for method, path, _ in daemon.asked]
    assert nuages("remove-application", "notes", "--force", "--no-wait").code == 0
    assert daemon.bodies("POST", f"{M}/remove-application") == [
        {"application": "notes", "force": force, "dry_run": False} for force in (False, True)
    ]


def test_a_dry_run_waits_for_nothing(daemon, nuages):
    daemon.on("POST", f"{M}/remove-application", {"change": None, "removed": REMOVED})
    outcome = nuages("remove-application", "--dry-run", "notes")
    assert outcome.code == 0 and outcome.out.splitlines() == SAID
    assert [body["dry_run"] for body in daemon.bodies("POST", f"{M}/remove-application")] == [True]


def test_what_a_removal_says_comes_before_its_failure(daemon, nuages):
    daemon.change("POST", f"{M}/remove-application", status="Error", error={"message": "the hook failed", "fix": None})
    daemon.on(
        "POST", f"{M}/remove-application", {"change": "7", "removed": {**REMOVED, "storage": [], "relations": []}}
    )
    outcome = nuages("remove-application", "notes")
    assert outcome.code == 1 and outcome.out.splitlines() == SAID[:3]
    assert "the hook failed" in outcome.err
