"""Secrets on the command line: how content is read, what is printed, and where values never appear."""

import io
import json
import sys

import click
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nuages.cli.errors import CliError
from nuages.cli.root import _without_secrets  # pyright: ignore[reportPrivateUsage]  its text is not reachable else
from nuages.cli.secret_words import content
from nuages.cli.secrets import age

M = "/v1/models/notes"
ID = "d0erdgfmp25c762i8np0"
LISTED = {
    ID: {
        "revision": 2,
        "rotation": "never",
        "owner": "<model>",
        "name": "token",
        "created": "2026-01-02T03:04:05Z",
        "updated": "2026-01-02T03:04:05Z",
    },
    "d0erdgfmp25c762i8np1": {
        "revision": 11,
        "rotation": "daily",
        "owner": "notes",
        "label": "key",
        "created": "2026-01-02T03:04:05Z",
        "updated": "2026-01-02T03:04:05Z",
    },
}


def add(daemon):
    daemon.change("POST", f"{M}/add-secret")
    daemon.on("POST", f"{M}/add-secret", {"change": "7", "uri": f"secret:{ID}"})


def test_add_secret_prints_the_uri(daemon, nuages):
    add(daemon)
    outcome = nuages("add-secret", "token", "key=v=1", "other#base64=aMO8", "--info", "about")
    assert (outcome.code, outcome.out) == (0, f"secret:{ID}\n"), outcome.err
    assert daemon.bodies("POST", f"{M}/add-secret") == [
        {"name": "token", "content": {"key": "v=1", "other": "hü"}, "info": "about"}
    ]


def test_content_from_files_and_standard_input(daemon, nuages, home, monkeypatch):
    add(daemon)
    (home / "value").write_text(" blanks \nand lines\n")
    (home / "all.yaml").write_text("number: 0123\nflag: yes\nword: 'x'\nraw#base64: aMO8\n")
    assert nuages("add-secret", "t", "key#file=value", "--file", "all.yaml").code == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"key": "\\ud83d\\ude00"}')))
    assert nuages("add-secret", "t", "--file", "-").code == 0
    first, second = (body["content"] for body in daemon.bodies("POST", f"{M}/add-secret"))
    assert first == {"key": " blanks \nand lines\n", "number": "0123", "flag": "yes", "word": "x", "raw": "hü"}
    assert second == {"key": "\U0001f600"}


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["add-secret"], 2, "secret name needs to be supplied as the first argument"),
        (["add-secret", "token"], 2, "missing secret value or filename"),
        (["add-secret", "token", "hidden"], 2, "word 1 of the secret's content is not KEY=VALUE"),
        (["add-secret", "token", "key#base64=hid*den"], 2, "the value of key#base64 is not base64"),
        (["add-secret", "token", "key#file=none"], 1, "cannot read 'none': No such file or directory"),
        (["add-secret", "token", "--file", "list"], 1, "list is not a mapping of keys to values"),
        (["add-secret", "token", "--file", "deep"], 1, "the value of key in deep is not text"),
        (["add-secret", "token", "--file", "bad"], 1, "bad is not YAML (line 1, column 1"),
        (["add-secret", "token", "--file", "bytes"], 1, "cannot read bytes: it is not UTF-8 text"),
        (["update-secret"], 2, "missing secret URI"),
        (["grant-secret", "token"], 2, "missing secret URI or application name"),
        (["revoke-secret", "token", "a", "b"], 2, "applications are given as one, with commas"),
        (["show-secret", "token", "--reveal", "--revisions"], 2, "either --revisions or --reveal but not both"),
        (
            ["show-secret", "token", "--revision", "1", "--revisions"],
            2,
            "either --revisions or --revision but not both",
        ),
        (["scale-application", "notes", "-1"], 2, "scale must be a positive integer"),
        (["scale-application", "notes", "many"], 2, "'many' is not a valid integer"),
        (["resolved"], 2, "no unit specified"),
        (["resolved", "--all", "notes/0"], 2, "specifying unit names(s) with --all not supported"),
        (["resolved", "notes"], 2, "'notes' is not a unit"),
        (["attach-resource", "notes", "image"], 2, "'image' is not NAME=DIR"),
    ],
)
@pytest.mark.usefixtures("daemon")
def test_wrong_usage_is_named_and_no_value_is_shown(nuages, home, words, code, text):
    (home / "list").write_text("- hidden\n")
    (home / "deep").write_text("key: {a: hidden}\n")
    (home / "bad").write_text("[hidden: ")
    (home / "bytes").write_bytes(b"hidden \xff")
    outcome = nuages(*words)
    assert (outcome.code, outcome.out) == (code, "")
    assert text in outcome.err
    assert "hid" not in outcome.err


@given(st.lists(st.text(), max_size=4))
def test_no_words_raise_anything_else(words):
    try:
        found = content([word for word in words if "#file" not in word], None)
    except (click.UsageError, CliError):
        return
    assert all(isinstance(value, str) for value in found.values())


@given(st.dictionaries(st.from_regex(r"[a-z](-?[a-z0-9]){2,8}", fullmatch=True), st.text(), min_size=1))
def test_what_jubilant_writes_is_read_back(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("file") / "content.yaml"
    path.write_text(yaml.safe_dump(values), "utf-8", newline="\n")
    assert content([], str(path)) == values
    path.write_text(json.dumps(values))
    assert content([], str(path)) == values


def test_the_table(daemon, nuages):
    daemon.on("GET", f"{M}/secrets", LISTED)
    lines = nuages("secrets").out.splitlines()
    assert lines[0] == "ID                    Name   Owner    Rotation  Revision  Last updated"
    assert lines[1].startswith(f"{ID}  token  <model>  never            2  2026-01-02")
    assert lines[2].split()[1] == "-"
    assert json.loads(nuages("secrets", "--format", "json", "--owner", "application-notes").out) == LISTED
    assert daemon.bodies("GET", f"{M}/secrets")[-1] == {"owner": "application-notes"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (1, "1 second ago"),
        (59, "59 seconds ago"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (90000, "2026-01-02"),
        (-5, "just now"),
    ],
)
def test_age(seconds, text):
    assert age("2026-01-02T03:04:05Z", 1767323045 + seconds) == text


def test_show_secret_in_both_forms(daemon, nuages):
    daemon.on("GET", f"{M}/secrets/token", {ID: {**LISTED[ID], "content": {"Data": {"key": "v"}}}})
    assert json.loads(nuages("show-secret", "token", "--reveal", "--format", "json").out)[ID]["content"] == {
        "Data": {"key": "v"}
    }
    assert yaml.safe_load(nuages("show-secret", "token", "--reveal", "-r", "2").out)[ID]["content"] == {"key": "v"}
    assert daemon.bodies("GET", f"{M}/secrets/token") == [{"reveal": "1"}, {"reveal": "1", "revision": "2"}]


def test_what_ctrl_c_prints_has_no_values():
    words = ["update-secret", "token", "key=hidden", "--info", "x", "--file=f"]
    assert _without_secrets(words) == ["update-secret", "token", "key=…", "--info", "x", "--file=f"]
    assert _without_secrets(["config", "notes", "a=b"]) == ["config", "notes", "a=b"]
    assert _without_secrets(["config", "notes", "django-secret-key=k", "a=b"]) == [
        "config", "notes", "django-secret-key=…", "a=b",
    ]  # fmt: skip


def test_a_grant_says_when_it_is_seen(daemon, nuages):
    daemon.change("POST", f"{M}/grant-secret")
    outcome = nuages("grant-secret", "token", "notes")
    assert (outcome.code, outcome.out) == (0, ""), outcome.err
    assert "notes may read it, and will at the next hook" in outcome.err
