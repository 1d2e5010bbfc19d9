"""The part of LogQL that is spoken here, as a tree; `reader.py` makes it of a text, `evaluate.py` computes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

SECOND = 1_000_000_000
_UNITS = {
    "ns": 1,
    "us": 1000,
    "µs": 1000,
    "ms": 10**6,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
    "d": 86400 * SECOND,
    "w": 7 * 86400 * SECOND,
    "y": 365 * 86400 * SECOND,
}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|[smhdwy])")
RANGES = ("count_over_time", "rate", "bytes_over_time", "bytes_rate", "absent_over_time")
AGGREGATIONS = ("sum", "avg", "min", "max", "count", "topk", "bottomk")
COMPARISONS = ("==", "!=", ">", ">=", "<", "<=")
_LOOK = re.compile(r"(?<!\\)(?:\\\\)*(?:\(\?(?:[=!]|<[=!]|P=|>|\()|\\[1-9])")
"""What Python's regular expressions have and Loki's have not."""


class QueryError(ValueError):
    """A query that is wrong, or beyond what is spoken here."""


@dataclass(frozen=True)
class Matcher:
    """A condition on one label: `=`, `!=`, `=~` or `!~`."""

    name: str
    operator: str
    value: str

    def test(self) -> Callable[[str], bool]:
        """Return what tells whether a value fulfils it; a label that is not there has the value ""."""
        value = self.value
        if self.operator == "=":
            return lambda given: given == value
        if self.operator == "!=":
            return lambda given: given != value
        found = regex(value).fullmatch
        return (lambda given: bool(found(given))) if self.operator == "=~" else (lambda given: not found(given))


@dataclass(frozen=True)
class Compared:
    """A condition on a label that is a number; one that is none does not fulfil it."""

    name: str
    operator: str
    value: float

    def test(self) -> Callable[[str], bool]:
        """Return what tells whether a value fulfils it."""
        limit, compare = self.value, comparison(self.operator)

        def compared(given: str) -> bool:
            try:
                return compare(float(given), limit)
            except ValueError:
                return False

        return compared


@dataclass(frozen=True)
class LineFilter:
    """A condition on the line: `|=`, `!=`, `|~` or `!~`."""

    operator: str
    value: str

    def test(self) -> Callable[[str], bool]:
        """Return what tells whether a line fulfils it."""
        value = self.value
        if self.operator == "|=":
            return lambda line: value in line
        if self.operator == "!=":
            return lambda line: value not in line
        found = regex(value).search
        return (lambda line: bool(found(line))) if self.operator == "|~" else (lambda line: not found(line))


@dataclass(frozen=True)
class Parser:
    """A stage that makes labels of the line: `json` or `logfmt`."""

    name: str


Stage = LineFilter | Matcher | Compared | Parser


@dataclass(frozen=True)
class Logs:
    """Lines: which streams, and what happens to each line."""

    matchers: tuple[Matcher, ...]
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True)
class Range:
    """A function over the lines of a time before each moment; in nanoseconds."""

    function: str
    logs: Logs
    interval: int
    offset: int = 0


@dataclass(frozen=True)
class Aggregation:
    """Series made of several; `without` tells what `labels` means, and None stands for neither."""

    function: str
    inner: Metric
    labels: tuple[str, ...] = ()
    without: bool | None = None
    parameter: int = 0


@dataclass(frozen=True)
class Binary:
    """Two sides and an operator."""

    operator: str
    left: Metric
    right: Metric


@dataclass(frozen=True)
class Number:
    """A number."""

    value: float


Metric = Range | Aggregation | Binary | Number
Query = Logs | Metric


def duration(text: str) -> int:
    """Return the nanoseconds of a duration such as 5m or 1h30m."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise QueryError(f"{text!r} is no duration: write 5m or 1h30m")
    return int(sum(float(number) * _UNITS[unit] for number, unit in parts))


def regex(text: str) -> re.Pattern[str]:
    """Return a regular expression of Loki's.

    Raises:
        QueryError: it is none.
    """
    if _LOOK.search(text):
        raise QueryError(f"regular expression {text!r}: Loki has no look-around and no back references")
    try:
        return re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise QueryError(f"regular expression {text!r}: {error}") from None


def comparison(operator: str) -> Callable[[float, float], bool]:
    """Return the comparison of numbers that an operator means."""
    table: Mapping[str, Callable[[float, float], bool]] = {
        "==": lambda a, b: a == b,
        "!=": lambda a, b: a != b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
    }
    return table[operator]
