"""The loader: values as charmcraft reads them, every key's place, and no traceback whatever the file holds."""

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nuages.extension.load import load
from nuages.extension.problems import ExtensionError
from nuages.extension.write import to_json, to_yaml


def test_places():
    document = load("name: a\nconfig:\n  options:\n    x: {type: int}\nlist:\n  - one\n", "f.yaml")
    assert document.place("name") == (1, 1)
    assert document.place("config", "options", "x") == (4, 5)
    assert document.place("config", "options", "x", "type") == (4, 9)
    assert document.place("config", "options", "missing") == (3, 3)
    assert document.place("list", 0) == (6, 5)
    assert document.place("nowhere") == (1, 1)


@pytest.mark.parametrize(
    ("text", "line", "column", "word"),
    [
        ("name: a\n\tb: c\n", 2, 1, "tab"),
        ("name: [a\n", 2, 1, "expected"),
        ("name: a\nname: b\n", 2, 1, "twice"),
        ("a: {b: 1, b: 2}\n", 1, 11, "twice"),
        ("1: a\n", 1, 1, "quotes"),
        ("a: b\n22.04: c\n", 2, 1, "quotes"),
        ("? [a]\n: b\n", 1, 3, "quotes"),
        ("- a\n", 1, 1, "mapping"),
        ("a: !!python/object:os.system x\n", 1, 4, "tag"),
        ("a: !thing x\n", 1, 4, "tag"),
        ("a: !!binary aGk=\n", 1, 4, "tag"),
        ("a: .nan\n", 1, 4, "finite"),
        ("a: &x [*x]\n", 1, 4, "itself"),
        ("a: *nothing\n", 1, 4, "alias"),
        ("a: 1\n---\nb: 2\n", 2, 1, "document"),
        ("", 1, 1, "empty"),
        ("# only a comment\n", 1, 1, "empty"),
    ],
)
def test_refused_with_its_place(text, line, column, word):
    with pytest.raises(ExtensionError) as caught:
        load(text, "charm/charmcraft.yaml")
    [problem] = caught.value.problems
    assert (problem.line, problem.column) == (line, column)
    assert word in problem.why + problem.fix
    assert str(caught.value).startswith("cannot read charm/charmcraft.yaml: charm/charmcraft.yaml")
    assert caught.value.fix


def test_not_utf8():
    with pytest.raises(ExtensionError) as caught:
        load(b"name: a\nsummary: \xff\n", "f.yaml")
    assert (caught.value.problems[0].line, caught.value.problems[0].column) == (2, 10)


def test_a_bomb_of_aliases_is_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(ExtensionError, match="too large"):
        load("\n".join(lines), "f.yaml")


def test_deep_nesting_is_refused():
    with pytest.raises(ExtensionError):
        load("a: " + "[" * 5000 + "]" * 5000, "f.yaml")


def test_merge_keys_and_aliases():
    text = "a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\nc: *a\n"
    assert load(text, "f.yaml").data == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 1, "y": 2}}


def test_dates_stay_text():
    assert load("version: 2024-01-01\n", "f.yaml").data == {"version": "2024-01-01"}


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
documents = st.dictionaries(
    st.text(),
    st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)),
    max_size=6,
)


@given(documents)
def test_what_is_written_is_read_again(data):
    for text in (to_json(data), to_yaml(data)):
        assert load(text, "f.yaml").data == data
        assert yaml.safe_load(text) == data


@given(st.text() | st.binary())
def test_any_text_is_a_document_or_an_error(text):
    try:
        data = load(text, "f.yaml").data
    except ExtensionError as error:
        assert error.problems
    else:
        assert isinstance(data, dict)


pieces = st.sampled_from(
    [
        *"abc:-?[]{}&*!|>'\"%@`#,.\n \t",
        "\n  ",
        ": ",
        "- ",
        "<<: ",
        "*a",
        "&a ",
        "!!int ",
        "1e5",
        "0x",
        "2020-13-45",
        "~",
    ]
)


@given(st.lists(pieces, max_size=40).map("".join))
def test_any_yaml_like_text_is_a_document_or_an_error(text):
    try:
        document = load(text, "f.yaml")
    except ExtensionError as error:
        assert error.problems
        return
    assert isinstance(document.data, dict)
    assert all(line >= 1 and column >= 1 for line, column in document.places.values())
    values = [document.data]
    while values:
        value = values.pop()
        assert not (isinstance(value, float) and not math.isfinite(value))
        values.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
