"""Options by type, all of a request or none."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.engine.charm import Option
from nuages.engine.config import MODEL_OPTIONS, ConfigError, apply, duration, effective, parse, seconds

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
        ("key", "", ""),
    ],
)
def test_text_becomes_a_value(name, text, value):
    parsed = parse(OPTIONS[name], text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("workers", "many"),
        ("workers", "1.5"),
        ("workers", ""),
        ("workers", " 3"),
        ("workers", "1_000"),
        ("workers", "٣"),
        ("workers", "9223372036854775808"),
        ("debug", "yes"),
        ("debug", "tRUE"),
        ("ratio", "x"),
        ("ratio", "nan"),
        ("ratio", "inf"),
        ("ratio", "1e999"),
    ],
)
def test_a_wrong_type_names_option_type_and_value(name, text):
    with pytest.raises(ConfigError) as caught:
        apply("notes", OPTIONS, {}, {"greeting": "x", name: text}, [])
    assert name in str(caught.value)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("text", ["plain", " secret:abc", "Secret:abc", "http://x"])
def test_a_secret_given_in_place_of_its_uri_is_not_repeated(text):
    with pytest.raises(ConfigError) as caught:
        apply("notes", OPTIONS, {}, {"key": text}, [])
    assert str(caught.value).startswith('cannot configure notes: option "key" expected secret, got ')
    assert text not in str(caught.value) + caught.value.fix
    assert "nuages add-secret key KEY=VALUE" in caught.value.fix


def test_every_reason_is_named_at_once():
    with pytest.raises(ConfigError) as caught:
        apply("notes", OPTIONS, {}, {"workrs": "1", "debug": "maybe"}, ["greting"])
    text = str(caught.value)
    assert "did you mean 'workers'?" in text
    assert "did you mean 'greeting'?" in text
    assert "option 'debug' is of type boolean, not 'maybe'" in text


def test_nothing_is_changed_by_a_refused_request():
    current = {"greeting": "x"}
    with pytest.raises(ConfigError):
        apply("notes", OPTIONS, current, {"workers": "4", "debug": "maybe"}, ["greeting"])
    assert current == {"greeting": "x"}


def test_setting_and_resetting_the_same_option_is_refused():
    with pytest.raises(ConfigError, match="cannot set and reset key 'workers' simultaneously"):
        apply("notes", OPTIONS, {}, {"workers": "4"}, ["workers"])


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("workers", 3, True),
        ("workers", True, False),
        ("workers", 3.0, False),
        ("workers", 2**63, False),
        ("ratio", 3, True),
        ("ratio", float("nan"), False),
        ("debug", False, True),
        ("debug", 1, False),
        ("greeting", 3, False),
        ("greeting", None, False),
        ("key", ["secret:x"], False),
    ],
)
def test_values_that_have_a_type_already(name, value, fits):
    if fits:
        assert parse(OPTIONS[name], value) == value
    else:
        with pytest.raises(ValueError, match=f"option ['\"]{name}['\"] (is|expected)"):
            parse(OPTIONS[name], value)


def test_a_value_of_the_wrong_type_says_where_types_are_shown():
    for what, shown in (("notes", "nuages config notes"), ("the model", "nuages model-config")):
        with pytest.raises(ConfigError) as caught:
            apply(what, OPTIONS, {}, {"workers": "abc"}, [])
        assert caught.value.fix == f"{shown} shows each option with its type"


def test_an_option_that_is_named_nowhere_near_offers_them_all():
    with pytest.raises(ConfigError) as caught:
        apply("notes", OPTIONS, {}, {"zzz": "1"}, [])
    assert "did you mean" not in str(caught.value)
    assert caught.value.fix == "options: debug, greeting, key, ratio, workers"


def test_the_models_interval_is_a_duration():
    for text in ("5m", "90s", "1h30m"):
        assert apply("the model", MODEL_OPTIONS, {}, {"update-status-hook-interval": text}, [])
    for text in ("soon", "5", "0s", "-5m", "5m later", ""):
        with pytest.raises(ConfigError, match="a duration like 5m"):
            apply("the model", MODEL_OPTIONS, {}, {"update-status-hook-interval": text}, [])


def test_what_is_parsed_survives_storing():
    """A value that JSON cannot hold would be another one after a restart."""
    for name, text in (("ratio", "1.5e300"), ("workers", "-9223372036854775808"), ("greeting", "\x00 ü \U0001f600")):
        value = parse(OPTIONS[name], text)
        assert json.loads(json.dumps(value)) == value


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
        assert not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize(("text", "expected"), [("5m", 300), ("1h30m", 5400), ("90s", 90), ("soon", 300), ("5", 300)])
def test_durations(text, expected):
    assert seconds(text) == expected


@given(st.text(alphabet="0123456789.hms "))
def test_any_duration_is_a_number_of_seconds(text):
    assert seconds(text) > 0
    assert duration(text) is None or duration(text) >= 0


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_read_as_it_is_written(value):
    assert parse(OPTIONS["ratio"], repr(value)) == value


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_integer_of_64_bits_is_read(value):
    assert parse(OPTIONS["workers"], str(value)) == value
