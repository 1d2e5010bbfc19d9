"""Reading TOML: the standard library's reader, or its twin for Python 3.10."""

from __future__ import annotations

import importlib
import sys
from typing import Any, cast

_reader: Any = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

Table = dict[str, Any]


def load(text: str) -> Table | None:
    """Return the document in `text`, None when it is no TOML."""
    try:
        document: Table = _reader.loads(text)
    except (ValueError, RecursionError):  # its own error is a ValueError
        return None
    return document


def table(document: Table | None, *path: str) -> Table:
    """Return the table at `path`, empty when there is none."""
    value: Any = document
    for key in path:
        value = cast("Table", value).get(key) if isinstance(value, dict) else None
    return cast("Table", value) if isinstance(value, dict) else {}


def texts(value: object) -> list[str]:
    """Return the texts in a list, empty when `value` is no list."""
    return [item for item in cast("list[object]", value) if isinstance(item, str)] if isinstance(value, list) else []


def line_of(text: str, *words: str) -> int:
    """Return the first line that holds each of `words`, 1 when none does."""
    for number, line in enumerate(text.splitlines(), 1):
        if all(word in line for word in words):
            return number
    return 1
