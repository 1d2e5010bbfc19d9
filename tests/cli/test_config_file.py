"""The file of `config --file`, in the forms that Juju takes."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.cli.config_file import settings
from nuages.cli.errors import CliError

M = "/v1/models/notes"
OPTIONS = {
    "greeting": {"type": "string"},
    "notice": {"type": "string"},
    "count": {"type": "int"},
    "ratio": {"type": "float"},
    "debug": {"type": "boolean"},
    "token": {"type": "secret"},
}


def read(text):
    return settings(text, "options.yaml", "notes", OPTIONS)


def test_values_are_text_as_a_word_on_the_command_line_would_be():
    text = "shop:\n  colour: red\nnotes:\n  greeting: 'true'\n  count: 3\n  ratio: 1\n  debug: yes\n  token:\n"
    assert read(text) == ({"greeting": "true", "count": "3", "ratio": "1", "debug": "true"}, ["token"])
    assert read('notes: {count: "3", debug: "false"}')[0] == {
        "count": "3",
        "debug": "false",
    }


def test_what_is_text_to_juju_is_text():
    text = "notes:\n  greeting: 2026-01-02\n  notice: |\n    one\n    two\n"
    assert read(text)[0] == {"greeting": "2026-01-02", "notice": "one\ntwo\n"}
    assert read("notes: {greeting: 1:30}")[0] == {"greeting": "1:30"}


def test_what_config_prints_can_be_read():
    text = (
        "application: shop\ncharm: shop\nsettings:\n"
        "  greeting:\n    source: user\n    type: string\n    value: Bonjour\n"
        "  debug:\n    source: default\n    type: boolean\n    value: false\n"
        "  token:\n    source: unset\n    type: secret\n"
    )
    assert read(text) == ({"greeting": "Bonjour", "debug": "false"}, [])


@pytest.mark.parametrize(
    ("text", "said", "fix"),
    [
        ("notes:\n  greeting: 5\n", "line 2: option 'greeting' is of type string, which", 'greeting: "…"'),
        ("notes:\n\n  count: many\n", "line 3: option 'count' is of type int, which", "line 3: for example count: 10"),
        ("notes:\n  debug: 1\n", "line 2: option 'debug' is of type boolean", "debug: true"),
        ("notes:\n  ratio: .inf\n", "line 2: option 'ratio' is of type float", "ratio: 0.5"),
        ("notes:\n  token: hunter2\n", "line 2: option 'token' is of type secret", "add-secret"),
        ("notes:\n  greeting: [a]\n", "line 2: option 'greeting' is of type string, not a list", "line 2"),
        (
            "notes:\n  greting: a\n",
            "unknown option 'greting', did you mean 'greeting'?",
            "line 2: nuages config notes shows",
        ),
        ("notes:\n  trust: true\n", "unknown option 'trust'", "it is a command: nuages trust notes"),
        ("notes:\n  count: 1\n  count: 2\n", "line 3: count is there twice", "keep one line of count"),
        ("notes:\n  count: 1\nnotes:\n  debug: true\n", "line 4: notes is there twice", "below one `notes:`"),
        ("notes: 5\n", "line 1: notes is no mapping of options", "OPTION: VALUE"),
        (
            "greeting: a\ncount: 5\n",
            'no settings found for "notes"; it has greeting, count',
            "write `notes:` on a line",
        ),
        ("settings:\n  greeting: a\n", 'no settings found for "notes"', "write `notes:`"),
        ("", 'no settings found for "notes"; it has nothing', "write `notes:`"),
        ("- a\n", 'no settings found for "notes"', "write `notes:`"),
        ("notes:\n  greeting: 'a\n", "no YAML: ", "mend line"),
        ("notes:\n\tcount: 1\n", "line 2: no YAML: ", "mend line 2 of options.yaml"),
        ("notes: " + "[" * 5000, "line 1: no YAML: it is nested too deeply", "mend line 1"),
        ("notes: \x00", "no YAML: ", "mend line 1"),
    ],
)
def test_what_is_wrong_has_its_line_and_what_to_write(text, said, fix):
    with pytest.raises(CliError) as caught:
        read(text)
    assert str(caught.value).startswith("cannot configure notes from options.yaml: ")
    assert said in str(caught.value) and fix in caught.value.fix
    assert "hunter2" not in str(caught.value) + caught.value.fix


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(CliError) as caught:
        read("notes:\n  greeting: 5\n  colour: red\n  debug: 2\n")
    assert [part for part in ("line 2", "line 3", "line 4") if part in str(caught.value)] == [
        "line 2",
        "line 3",
        "line 4",
    ]
    assert len(caught.value.fix.splitlines()) == 3


@given(st.text(alphabet=st.sampled_from("notes:greting -[]{}\n 'x\"#&*!|>%@`5.\t")))
def test_any_text_is_read_or_refused(text):
    try:
        values, resets = read(text)
    except CliError as error:
        assert error.fix
    else:
        assert {*values, *resets} <= set(OPTIONS)


@pytest.fixture
def notes(daemon):
    daemon.on("GET", f"{M}/config/notes", {"application": "notes", "settings": OPTIONS})
    daemon.on("GET", f"{M}/secrets", {})
    daemon.change("POST", f"{M}/config/notes")
    return daemon


def test_the_command_line_comes_before_the_file(notes, nuages, home):
    (home / "options.yaml").write_text("notes:\n  greeting: file\n  count: 3\n  ratio: 2.5\n  debug:\n")
    outcome = nuages("config", "notes", "--file", "options.yaml", "greeting=word", "debug=true", "--reset", "ratio")
    assert (outcome.code, outcome.out) == (0, ""), outcome.err
    assert notes.bodies("POST", f"{M}/config/notes") == [
        {"set": {"count": "3", "greeting": "word", "debug": "true"}, "reset": ["ratio"]}
    ]


def test_standard_input_is_a_file_too(notes, nuages, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("notes: {count: 4}"))
    assert nuages("config", "notes", "--file", "-").code == 0
    assert notes.bodies("POST", f"{M}/config/notes") == [{"set": {"count": "4"}, "reset": []}]


def test_a_wrong_file_changes_nothing(notes, nuages, home):
    (home / "options.yaml").write_text("notes:\n  count: x\n")
    outcome = nuages("config", "notes", "--file", "options.yaml")
    assert outcome.code == 1 and "error: cannot configure notes from options.yaml: line 2: " in outcome.err
    assert "fix:   line 2: for example count: 10" in outcome.err
    assert "cannot read 'nope.yaml'" in nuages("config", "notes", "--file", "nope.yaml").err
    assert nuages("config", "notes", "greeting", "--file", "options.yaml").code == 2
    assert notes.bodies("POST", f"{M}/config/notes") == []
