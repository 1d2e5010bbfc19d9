"""The lines of a document that belong to a key: for edits that leave the rest, comments too, as it is."""

from __future__ import annotations

from typing import NamedTuple

from nuages.extension.load import Document, Path


class Block(NamedTuple):
    """The lines of one key and its value, from 1, comments below it not counted."""

    first: int
    last: int
    column: int
    """Of the key, from 1."""


def block(document: Document, path: Path) -> Block | None:
    """Return the lines of the key at `path`; None when it shares them with others, as in `{a: 1, b: 2}`."""
    place = document.places.get(path)
    if place is None or not path:
        return None
    line, column = place
    lines = document.text.splitlines()
    if not 1 <= line <= len(lines) or lines[line - 1][: column - 1].strip(" "):
        return None
    following = [at for other, at in document.places.items() if at > place and other[: len(path)] != path]
    if any(at[0] == line for other, at in document.places.items() if other[: len(path)] != path):
        return None
    end = min((at[0] for at in following), default=len(lines) + 1) - 1
    while end > line and not _content(lines[end - 1], column):
        end -= 1
    return Block(line, end, column)


def _content(line: str, column: int) -> bool:
    """Whether a line belongs to the value of a key at `column`, rather than being blank or a comment behind it."""
    text = line.lstrip(" ")
    return bool(text.strip()) and not (text.startswith("#") and len(line) - len(text) <= column)
