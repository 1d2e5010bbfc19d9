"""Flags anywhere, `--` ends them."""

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
