"""What is read as LogQL, and how what is not is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.services.loki.files.logql import (
    Aggregation,
    Binary,
    Compared,
    LineFilter,
    Logs,
    Matcher,
    Number,
    Parser,
    QueryError,
    Range,
    duration,
)
from nuages.services.loki.files.reader import labels, parse, selector

A = Matcher("a", "=", "b")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('{a="b"}', Logs((A,))),
        ('  { a = "b" , c!~`x.*` , } ', Logs((A, Matcher("c", "!~", "x.*")))),
        (
            '{a="b"} |= "x\\"y\\n" != `z` |~ "e+" !~ "f"',
            Logs(
                (A,),
                (LineFilter("|=", 'x"y\n'), LineFilter("!=", "z"), LineFilter("|~", "e+"), LineFilter("!~", "f")),
            ),
        ),
        (
            '{a="b"} | json | level="error" and status >= 500, path!="x" | size != 3',
            Logs(
                (A,),
                (
                    Parser("json"),
                    Matcher("level", "=", "error"),
                    Compared("status", ">=", 500),
                    Matcher("path", "!=", "x"),
                    Compared("size", "!=", 3),
                ),
            ),
        ),
        ('{a="b"} | logfmt', Logs((A,), (Parser("logfmt"),))),
        ('rate({a="b"}[5m])', Range("rate", Logs((A,)), 300 * 10**9)),
        (
            'count_over_time({a="b"}[1h30m] |= "x" offset 1d)',
            Range("count_over_time", Logs((A,), (LineFilter("|=", "x"),)), 5400 * 10**9, 86400 * 10**9),
        ),
        (
            'sum by (x, y) (rate({a="b"}[1s]))',
            Aggregation("sum", Range("rate", Logs((A,)), 10**9), ("x", "y"), without=False),
        ),
        (
            'topk(2, rate({a="b"}[1s])) without (x)',
            Aggregation("topk", Range("rate", Logs((A,)), 10**9), ("x",), without=True, parameter=2),
        ),
        ("1 + 2 * 3 > -4", Binary(">", Binary("+", Number(1), Binary("*", Number(2), Number(3))), Number(-4))),
        ("(1 - 2) - 3", Binary("-", Binary("-", Number(1), Number(2)), Number(3))),
    ],
)
def test_read(text: str, tree: object) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a name is expected, not the end of the query"),
        ("{}", "at least one regexp or equality matcher"),
        ('{a=~".*"}', "at least one regexp or equality matcher"),
        ('rate({a=""}[5m])', "at least one regexp or equality matcher"),
        ('{a="b"', ", is expected, not the end of the query"),
        ('{a="b}', "cannot read the query from"),
        ("{a=b}", "a text in quotes is expected, not b"),
        ('{a="b"} | line_format "x"', "| line_format is not spoken here. This is not Loki"),
        ('{a="b"} | json x="y"', "json with parameters is not spoken here"),
        ('{a="b"} | unwrap size', "| unwrap is not spoken here"),
        ('{a="b"} |= "x" or "y"', "or between filters is not spoken here"),
        ('{a="b"} | x="y" or z="y"', "or between filters is not spoken here"),
        ('quantile_over_time(0.9, {a="b"} | unwrap x [5m])', "quantile_over_time is not spoken here"),
        ('sum(rate({a="b"}[5m])) or vector(0)', "or is not spoken here"),
        ('rate({a="b"}[5m]) / on (x) rate({a="b"}[5m])', "on is not spoken here"),
        ('rate({a="b"})', "[ is expected, not )"),
        ('rate({a="b"}[5])', "a duration such as 5m is expected, not 5"),
        ('sum({a="b"})', "lines are no numbers"),
        ('{a=~"("}', "regular expression '('"),
        ('{a="b"} |~ "(?=x)"', "Loki has no look-around"),
        ('{a="b"} |~ "(x)\\\\1"', "Loki has no look-around"),
        ('{a="\\q"}', "\\q is no escape"),
        ("(" * 5000, "nested too deeply"),
    ],
)
def test_what_is_not_spoken_is_told(text: str, reason: str) -> None:
    with pytest.raises(QueryError) as error:
        parse(text)
    assert reason in str(error.value)


@given(st.text(alphabet='{}()[]=!~|<>,"`\\ab1.5m sumrate', max_size=60))
def test_any_text_is_read_or_told(text: str) -> None:
    try:
        parse(text)
    except QueryError as error:
        assert str(error)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(st.from_regex("[a-z_][a-z0-9_]{0,5}", fullmatch=True), TEXT, min_size=1, max_size=4))
def test_labels_as_promtail_writes_them_are_read(pairs: dict[str, str]) -> None:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    text = "{" + ", ".join(f"{name}={quoted(value)}" for name, value in pairs.items()) + "}"
    assert dict(labels(text)) == pairs
    assert [matcher.value for matcher in selector(text)] == list(pairs.values())


def test_durations() -> None:
    assert [duration(text) for text in ("5m", "1h30m", "1.5s", "250ms")] == [
        300 * 10**9,
        5400 * 10**9,
        1_500_000_000,
        250_000_000,
    ]
    for text in ("", "5", "m", "5 m", "5mx"):
        with pytest.raises(QueryError):
            duration(text)
