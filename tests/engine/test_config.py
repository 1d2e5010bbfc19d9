"""Options by type, all of a request or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.engine.config import ConfigError, apply, effective, parse, seconds
from nuages.engine.state import Option

OPTIONS = {
    option.name: option
    for option in (
        Option("greeting", "string", "Hello"),
        Option("workers", "int"),
        Option("ratio", "float", 1),
        Option("debug", "boolean", False),
        Option("key", "secret"),
    )
}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("greeting", " Bonjour ", " Bonjour "),
        ("greeting", "", ""),
        ("workers", "-3", -3),
        ("ratio", "2", 2.0),
        ("debug", "TRUE", True),
        ("debug", "0", False),
        ("key", "secret:abc", "secret:abc"),
    ],
)
def test_text_becomes_a_value(name, text, value):
    parsed = parse(OPTIONS[name], text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("name", "text"), [("workers", "many"), ("workers", "1.5"), ("debug", "yes"), ("ratio", "x"), ("key", "abc")]
)
def test_a_wrong_type_names_option_type_and_value(name, text):
    with pytest.raises(ConfigError) as caught:
        apply("notes", OPTIONS, {}, {"greeting": "x", name: text}, [])
    assert name in str(caught.value)
    assert repr(text) in str(caught.value)


def test_every_reason_is_named_at_once():
    with pytest.raises(ConfigError) as caught:
        apply("notes", OPTIONS, {}, {"workrs": "1", "debug": "maybe"}, ["greting"])
    text = str(caught.value)
    assert "did you mean 'workers'?" in text
    assert "did you mean 'greeting'?" in text
    assert "option 'debug' is of type boolean, not 'maybe'" in text


def test_reset_and_defaults():
    values = apply("notes", OPTIONS, {"greeting": "x", "workers": 2}, {}, ["greeting"])
    assert values == {"workers": 2}
    assert effective(OPTIONS, values) == {"greeting": "Hello", "workers": 2, "ratio": 1.0, "debug": False}


@given(st.text(), st.sampled_from(sorted(OPTIONS)))
def test_any_text_is_parsed_or_refused(text, name):
    try:
        value = parse(OPTIONS[name], text)
    except ValueError as error:
        assert name in str(error)
    else:
        assert value is not None


@pytest.mark.parametrize(("text", "expected"), [("5m", 300), ("1h30m", 5400), ("90s", 90), ("soon", 300), ("5", 300)])
def test_durations(text, expected):
    assert seconds(text) == expected


@given(st.text())
def test_any_duration_is_a_number_of_seconds(text):
    assert seconds(text) >= 0
