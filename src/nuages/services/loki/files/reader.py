"""From the text of a query to its tree. Whatever is beyond what is spoken here is an error that says so."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .logql import (
    AGGREGATIONS,
    COMPARISONS,
    RANGES,
    Aggregation,
    Binary,
    Compared,
    LineFilter,
    Logs,
    Matcher,
    Metric,
    Number,
    Parser,
    Query,
    QueryError,
    Range,
    Stage,
    duration,
)

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
  | (?P<duration>(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|[smhdwy]))+)
  | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<symbol>\|=|\|~|!=|!~|=~|==|>=|<=|[{}()\[\],=<>|+\-*/%^])
    )""",
    re.VERBOSE,
)
_LEVELS = (COMPARISONS, ("+", "-"), ("*", "/", "%"))
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def parse(text: str) -> Query:
    """Return what a query says.

    Raises:
        QueryError: it is wrong, or uses what is not spoken here.
    """
    reader = _Reader(text)
    try:
        query = reader.logs() if reader.peek() == "{" else reader.binary(0)
    except RecursionError:
        raise QueryError("the query is nested too deeply") from None
    reader.end()
    return query


def selector(text: str) -> tuple[Matcher, ...]:
    """Return the matchers of a stream selector, as `{app="x"}`, and nothing after it."""
    reader = _Reader(text)
    matchers = reader.matchers()
    reader.end()
    return matchers


def labels(text: str) -> Mapping[str, str]:
    """Return the labels of a stream as promtail writes them: a selector of equalities."""
    found = selector(text)
    for matcher in found:
        if matcher.operator != "=":
            raise QueryError(f"a stream's labels are equalities, not {matcher.name}{matcher.operator}")
    return {matcher.name: matcher.value for matcher in found}


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                raise QueryError(f"cannot read the query from {text[at : at + 20].strip()!r} on")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else "end"

    def take(self) -> str:
        text = self.peek()
        self.at += 1
        return text

    def expect(self, *wanted: str) -> str:
        if self.kind() == "text" or self.peek() not in wanted:
            raise self.wrong(" or ".join(wanted))
        return self.take()

    def wrong(self, wanted: str) -> QueryError:
        return QueryError(f"{wanted} is expected, not {self.peek() or 'the end of the query'}")

    def end(self) -> None:
        if self.at < len(self.tokens):
            text = self.peek()
            if text in ("on", "ignoring", "group_left", "group_right", "and", "or", "unless", "^", "offset", "bool"):
                raise unknown(text)
            raise self.wrong("the end of the query")

    def name(self) -> str:
        if self.kind() != "name":
            raise self.wrong("a name")
        return self.take()

    def string(self) -> str:
        if self.kind() != "text":
            raise self.wrong("a text in quotes")
        text = self.take()
        return text[1:-1] if text[0] == "`" else unquote(text[1:-1])

    def matchers(self) -> tuple[Matcher, ...]:
        self.expect("{")
        found: list[Matcher] = []
        while self.peek() != "}":
            name = self.name()
            found.append(_checked(Matcher(name, self.expect("=", "!=", "=~", "!~"), self.string())))
            if self.peek() != "}":
                self.expect(",")
        self.expect("}")
        return tuple(found)

    def logs(self) -> Logs:
        matchers = self.matchers()
        return Logs(_selective(matchers), self.stages())

    def stages(self) -> tuple[Stage, ...]:
        found: list[Stage] = []
        while self.kind() == "symbol" and self.peek() in ("|=", "!=", "|~", "!~", "|"):
            operator = self.take()
            if operator != "|":
                stage = LineFilter(operator, self.string())
                stage.test()
                found.append(stage)
                if self.peek() == "or":
                    raise unknown("or between filters")
                continue
            name = self.name()
            if name in ("json", "logfmt") and self.peek() not in COMPARISONS and self.peek() not in ("=", "=~", "!~"):
                if self.kind() in ("name", "text"):
                    raise unknown(f"{name} with parameters")
                found.append(Parser(name))
            elif self.kind() != "symbol" or self.peek() in ("|", "(", "["):
                raise unknown(f"| {name}")
            else:
                found.append(self.filter(name))
                while self.peek() in ("and", ","):
                    self.take()
                    found.append(self.filter(self.name()))
                if self.peek() == "or":
                    raise unknown("or between filters")
        return tuple(found)

    def filter(self, name: str) -> Matcher | Compared:
        operator = self.expect("=", "=~", "!~", *COMPARISONS)
        if self.kind() == "text" and operator in ("=", "!=", "=~", "!~"):
            return _checked(Matcher(name, operator, self.string()))
        if self.kind() != "number" or operator in ("=~", "!~"):
            raise self.wrong("a text in quotes or a number")
        return Compared(name, "==" if operator == "=" else operator, float(self.take()))

    def binary(self, level: int) -> Metric:
        if level == len(_LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while self.kind() == "symbol" and self.peek() in _LEVELS[level]:
            operator = self.take()
            left = Binary(operator, left, self.binary(level + 1))
        return left

    def unary(self) -> Metric:
        if self.peek() == "-" and self.kind() == "symbol":
            self.take()
            if self.kind() != "number":
                raise self.wrong("a number")
            return Number(-float(self.take()))
        if self.kind() == "number":
            return Number(float(self.take()))
        if self.kind() == "symbol" and self.peek() == "(":
            self.take()
            inner = self.binary(0)
            self.expect(")")
            return inner
        if self.kind() == "symbol" and self.peek() == "{":
            raise QueryError("lines are no numbers: put them into count_over_time(… [5m]) or rate(… [5m])")
        name = self.name()
        if name in RANGES:
            return self.range(name)
        if name in AGGREGATIONS:
            return self.aggregation(name)
        raise unknown(name)

    def range(self, function: str) -> Range:
        self.expect("(")
        matchers = self.matchers()
        early = self.interval() if self.peek() == "[" else None
        stages = self.stages()
        interval = early or self.interval()
        offset = 0
        if self.peek() == "offset":
            self.take()
            if self.kind() != "duration":
                raise self.wrong("a duration")
            offset = duration(self.take())
        self.expect(")")
        return Range(function, Logs(_selective(matchers), stages), interval, offset)

    def interval(self) -> int:
        self.expect("[")
        if self.kind() != "duration":
            raise self.wrong("a duration such as 5m")
        found = duration(self.take())
        self.expect("]")
        return found

    def aggregation(self, function: str) -> Aggregation:
        labels, without = self.grouping()
        self.expect("(")
        parameter = 0
        if function in ("topk", "bottomk"):
            if self.kind() != "number":
                raise self.wrong("a number")
            parameter = int(float(self.take()))
            self.expect(",")
        inner = self.binary(0)
        self.expect(")")
        if without is None:
            labels, without = self.grouping()
        return Aggregation(function, inner, labels, without, parameter)

    def grouping(self) -> tuple[tuple[str, ...], bool | None]:
        if self.peek() not in ("by", "without"):
            return (), None
        without = self.take() == "without"
        self.expect("(")
        found: list[str] = []
        while self.peek() != ")":
            found.append(self.name())
            if self.peek() != ")":
                self.expect(",")
        self.expect(")")
        return tuple(found), without


def unknown(what: str) -> QueryError:
    """Return the error for what Loki has and this store has not."""
    return QueryError(
        f"{what} is not spoken here. This is not Loki: it knows selectors, line filters, `| json`, `| logfmt`, filters "
        f"of labels, {', '.join(RANGES)}, {', '.join(AGGREGATIONS)}, arithmetic and comparisons"
    )


def unquote(text: str) -> str:
    """Return what a text in double quotes stands for, by Go's rules."""

    def one(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] in "xuU":
            return chr(int(code[1:], 16)) if int(code[1:], 16) < 0x110000 else "\ufffd"
        if code in _ESCAPES:
            return _ESCAPES[code]
        raise QueryError(f"\\{code} is no escape: write \\\\{code}, or put the text into `backticks`")

    return re.sub(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", one, text)


def _selective(matchers: tuple[Matcher, ...]) -> tuple[Matcher, ...]:
    if all(matcher.test()("") for matcher in matchers):
        raise QueryError(
            "queries require at least one regexp or equality matcher that does not have an empty-compatible value"
        )
    return matchers


def _checked(matcher: Matcher) -> Matcher:
    matcher.test()  # a regular expression that is none is told now
    return matcher
