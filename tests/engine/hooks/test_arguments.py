"""Flags anywhere, `--` ends them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.engine.hooks.arguments import Flag, parse
from nuages.engine.hooks.errors import UsageError

FLAGS = (Flag(("relation", "r")), Flag(("app",), "bool"), Flag(("format",)))


def test_flags_may_stand_anywhere():
    found = parse(["-", "-r", "db:1", "x/0", "--app", "--format=json"], FLAGS, attached={}, stdin=None, most=2)
    assert found.positional == ("-", "x/0")
    assert (found.text("relation"), found.flag("app"), found.text("format")) == ("db:1", True, "json")


def test_two_dashes_end_the_flags():
    found = parse(["--app=False", "--", "--app", "-r"], FLAGS, attached={}, stdin=None, most=None)
    assert found.positional == ("--app", "-r")
    assert not found.flag("app")


@pytest.mark.parametrize("words", [["-r3"], ["-r", "3"], ["--relation", "3"], ["--relation=3"], ["--r=3"]])
def test_ways_to_write_a_flag(words):
    found = parse([*words, "x"], FLAGS, attached={}, stdin=None, most=1)
    assert (found.text("relation"), found.positional) == ("3", ("x",))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["-app"], "option provided but not defined: -a"),
        (["--nonsense=1"], "option provided but not defined: --nonsense"),
        (["---app"], "option provided but not defined: ---app"),
        (["-r"], "option needs an argument: -r"),
        (["--format"], "option needs an argument: --format"),
        (["--app=perhaps"], 'invalid value "perhaps" for option --app: not a boolean'),
        (["--app=tRuE"], 'invalid value "tRuE" for option --app: not a boolean'),
        (["a", "b", "c d"], 'unrecognized args: ["b" "c d"]'),
    ],
)
def test_what_is_refused(words, text):
    with pytest.raises(UsageError) as caught:
        parse(words, FLAGS, attached={}, stdin=None, most=1)
    assert (str(caught.value), caught.value.exit_code) == (text, 2)


@given(st.lists(st.text()))
def test_any_words_are_parsed_or_refused(words):
    try:
        found = parse(words, FLAGS, attached={}, stdin=None, most=None)
    except UsageError:
        return
    assert set(found.positional) <= set(words)


@given(st.lists(st.text()))
def test_what_follows_two_dashes_arrives_as_it_is(words):
    assert parse(["--", *words], FLAGS, attached={}, stdin=None, most=None).positional == tuple(words)
