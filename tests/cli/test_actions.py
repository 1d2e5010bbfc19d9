"""`actions` and `show-action`, in Juju's forms."""

import json

import pytest
import yaml

from tests.cli.fake_daemon import Refuse

M = "/v1/models/notes"
ACTIONS = {
    "create-superuser": {
        "description": "Create a new superuser.\nIt prints the password.",
        "properties": {
            "username": {"type": "string", "description": "Its name."},
            "active": {"type": "boolean", "description": "Whether it may log in.", "default": False},
        },
        "required": ["username"],
        "title": "create-superuser",
        "type": "object",
    },
    "rotate": {"description": "No description", "properties": {}, "title": "rotate", "type": "object"},
}


@pytest.fixture
def notes(daemon):
    daemon.on("GET", f"{M}/actions/notes", ACTIONS)
    daemon.on("GET", f"{M}/actions/idle", {})
    daemon.on("GET", f"{M}/actions/note", Refuse('application "note" not found', "applications: notes", 404))


@pytest.mark.parametrize("words", [["actions", "notes"], ["list-actions", "notes", "--format", "tabular"]])
def test_a_table_of_what_they_do(notes, nuages, words):
    assert nuages(*words).out.splitlines() == [
        "Action            Description",
        "create-superuser  Create a new superuser.",
        "                  It prints the password.",
        "rotate            No description",
    ]


def test_descriptions_by_name(notes, nuages):
    descriptions = {name: action["description"] for name, action in ACTIONS.items()}
    assert json.loads(nuages("actions", "notes", "--format", "json").out) == descriptions
    assert yaml.safe_load(nuages("actions", "notes", "--format", "yaml").out) == descriptions


def test_the_whole_schema_is_yaml_or_json(notes, nuages):
    assert yaml.safe_load(nuages("actions", "notes", "--schema").out) == ACTIONS
    assert json.loads(nuages("actions", "--schema", "--format", "json", "notes").out) == ACTIONS
    refused = nuages("actions", "notes", "--schema", "--format", "tabular")
    assert refused.code == 2 and "a schema is no table" in refused.err


def test_an_application_without_actions(notes, nuages):
    outcome = nuages("actions", "idle")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "No actions defined for idle.\n")
    assert nuages("actions", "idle", "--format", "json").out == "{}\n"


def test_one_action_with_its_parameters(notes, nuages):
    head, _, arguments = nuages("show-action", "notes", "create-superuser").out.partition("\n\nArguments\n")
    assert head == "Create a new superuser.\nIt prints the password."
    assert yaml.safe_load(arguments) == {
        "username": {"type": "string", "description": "Its name.", "required": True},
        "active": {"type": "boolean", "description": "Whether it may log in.", "default": False},
    }
    assert nuages("show-action", "notes", "rotate").out == "No description\n\nArguments\n{}\n\n"


def test_a_wrong_name_names_the_nearest(notes, nuages):
    unknown = nuages("show-action", "notes", "create-superusr")
    assert unknown.code == 1 and "did you mean 'create-superuser'?" in unknown.err
    assert "fix:   nuages actions notes\n" in unknown.err
    assert 'application "note" not found' in nuages("actions", "note").err
