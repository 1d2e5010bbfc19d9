"""The expanded document as text, the user's lines as they are: comments, order and quotes stay.

What is contributed goes below the last line of the mapping that it belongs to. The result is read again; where that
does not give the expanded document (flow style, anchors across keys), the key's text is written anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

import yaml

from nuages.contract.bases import EXTENSION
from nuages.extension.load import Document, Path, Value
from nuages.extension.source import block
from nuages.extension.write import to_yaml

COMPLETED = "completed"
"""What a line is that says in full what the user wrote in short: `amd64:` under `platforms`."""


class Line(NamedTuple):
    """A line of the expanded document."""

    text: str
    origin: str
    """`django-framework`, `completed`, or "" for a line of the user's."""
    number: int = 0
    """Its number in the user's file; 0 when it is not there."""


class _Edit(NamedTuple):
    """Lines that take the place of others."""

    first: int
    last: int
    """Smaller than `first` for lines that come in before it."""
    lines: tuple[Line, ...]


def annotated(document: Document, expanded: dict[str, Value]) -> list[Line]:
    """Return the lines of the expanded document, each with where it comes from."""
    edits = _edits(document, expanded)
    if edits is not None:
        lines = _applied(document, edits)
        if _same("".join(line.text + "\n" for line in lines), expanded):
            return lines
    return _anew(document, expanded)


def _anew(document: Document, expanded: dict[str, Value]) -> list[Line]:
    """Return the whole document written anew, with the comments of each key above it, all others at the top."""
    blocks = {key: here for key in document.data if (here := block(document, (key,)))}
    within = {number for here in blocks.values() for number in range(here.first, here.last + 1)}
    comments = _comments(document)
    lines = [Line(text, "", number) for number, text in comments.items() if number not in within]
    for key, value in expanded.items():
        here = blocks.get(key)
        if here:
            lines += [Line(text, "", number) for number, text in comments.items() if here.first <= number <= here.last]
        lines += [Line(text, _origin(document, ())) for text in _dump({key: value})]
    return lines


def _comments(document: Document) -> dict[int, str]:
    """Return the document's comments by the number of their line, as they are from the `#` on."""
    lines = document.text.splitlines()
    if not any("#" in line for line in lines):
        return {}
    tokens = cast("Iterable[Any]", yaml.scan(document.text, Loader=yaml.SafeLoader))  # pyright: ignore[reportUnknownMemberType]
    scalars = [
        ((token.start_mark.line, token.start_mark.column), (token.end_mark.line, token.end_mark.column))
        for token in tokens
        if isinstance(token, yaml.ScalarToken)
    ]
    found: dict[int, str] = {}
    for number, line in enumerate(lines):
        for match in re.finditer(r"(?:^|(?<=\s))#", line):
            place = (number, match.start())
            if not any(first <= place < last for first, last in scalars):
                found[number + 1] = line[match.start() :]
                break
    return found


def _edits(document: Document, expanded: dict[str, Value]) -> list[_Edit] | None:
    lines = document.text.splitlines()
    if not all(block(document, (key,)) for key in document.data) or any(line.startswith("...") for line in lines):
        return None
    edits: list[_Edit] = []
    for key, mine in document.data.items():
        here = block(document, (key,))
        assert here is not None
        if key not in expanded:
            edits.append(_Edit(here.first, here.last, ()))
        elif expanded[key] != mine:
            edits.extend(_changes(document, (key,), mine, expanded[key]))
    added = {key: value for key, value in expanded.items() if key not in document.data}
    if added:
        end = len(lines) + 1
        gap = (Line("", EXTENSION),) if lines and lines[-1].strip() else ()
        edits.append(_Edit(end, end - 1, (*gap, *(Line(text, EXTENSION) for text in _dump(added)))))
    return edits


def _changes(document: Document, path: Path, mine: Value, wanted: Value) -> list[_Edit]:
    """Return the edits that turn the value at `path` into `wanted`."""
    here = block(document, path)
    if here is None:
        return []
    if isinstance(mine, dict) and mine and isinstance(wanted, dict) and list(wanted)[: len(mine)] == list(mine):
        children = [block(document, (*path, key)) for key in mine]
        columns = {child.column for child in children if child}
        if None not in children and len(columns) == 1:
            edits = [
                edit
                for key, value in mine.items()
                if value != wanted[key]
                for edit in _changes(document, (*path, key), value, wanted[key])
            ]
            added = {key: wanted[key] for key in wanted if key not in mine}
            if added:
                texts = _indented(_dump(added), columns.pop())
                edits.append(
                    _Edit(here.last + 1, here.last, tuple(Line(text, _origin(document, path)) for text in texts))
                )
            return edits
    first = document.text.splitlines()[here.first - 1]
    head = first[here.column - 1 :].split(" #")[0].rstrip()
    if mine is None and head.endswith(":") and isinstance(wanted, dict):
        texts = _indented(_dump(wanted), here.column + 2)
        return [_Edit(here.last + 1, here.last, tuple(Line(text, _origin(document, path)) for text in texts))]
    kept = [text for number, text in _comments(document).items() if here.first <= number <= here.last]
    texts = _indented([*kept, *_dump({str(path[-1]): wanted})], here.column)
    return [_Edit(here.first, here.last, tuple(Line(text, _origin(document, path)) for text in texts))]


def _origin(document: Document, path: Path) -> str:
    """Return what made a line at `path`: platforms and bases are completed, all else is contributed."""
    contributes = isinstance(extensions := document.get("extensions"), list) and EXTENSION in extensions
    return EXTENSION if contributes and path[:1] not in (("platforms",), ("bases",)) else COMPLETED


def _dump(value: dict[str, Value]) -> list[str]:
    return to_yaml(value).removesuffix("\n").split("\n")


def _indented(lines: list[str], column: int) -> list[str]:
    return [" " * (column - 1) + line if line else line for line in lines]


def _applied(document: Document, edits: list[_Edit]) -> list[Line]:
    by_line: dict[int, list[_Edit]] = {}
    gone: set[int] = set()
    for edit in edits:
        by_line.setdefault(edit.first, []).append(edit)
        gone.update(range(edit.first, edit.last + 1))
    texts = document.text.splitlines()
    lines: list[Line] = []
    for number in range(1, len(texts) + 2):
        for edit in sorted(by_line.get(number, ()), key=lambda edit: edit.last):
            lines.extend(edit.lines)
        if number <= len(texts) and number not in gone:
            lines.append(Line(texts[number - 1], "", number))
    return lines


def _same(text: str, expanded: dict[str, Value]) -> bool:
    from nuages.extension.load import load
    from nuages.extension.problems import ExtensionError

    try:
        found = load(text, "expanded").data
    except (ExtensionError, yaml.YAMLError):
        return False
    return json.dumps(found) == json.dumps(expanded)  # equal in the order of the keys as well
