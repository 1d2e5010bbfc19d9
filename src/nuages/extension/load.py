"""YAML documents with the line and column of every key.

PyYAML, because charmcraft reads the same file with it: what is text and what a number is decided alike. Its composed
nodes know their places; values are made from them here, so that whatever a file holds ends as data or as a Problem.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Union

import yaml

from nuages.extension.problems import Problem, error_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Value = Union[str, int, float, bool, None, list["Value"], dict[str, "Value"]]  # noqa: UP007  strings in it, and 3.10
Path = tuple[str | int, ...]
Place = tuple[int, int]
"""Line and column, both from 1."""

MAXIMUM_NODES = 100_000
"""More than any real document; stops aliases that multiply without end."""

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOT_ALLOWED: Any = yaml.reader.Reader.NON_PRINTABLE
_TAG = "tag:yaml.org,2002:"


class Date(str):
    """Text that YAML takes for a date: charmcraft refuses it where it wants text."""

    __slots__ = ()


@dataclass(frozen=True)
class Document:
    """A YAML file whose top is a mapping."""

    file: str
    """As shown to the user."""
    data: dict[str, Value]
    places: dict[Path, Place]
    text: str = ""
    """The source: its comments are kept when the document is expanded, and may silence a rule."""

    def place(self, *path: str | int) -> Place:
        """Return where the key at `path` is, or the nearest key around it that exists."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))

    def get(self, *path: str) -> Value:
        """Return the value at `path`, None when any part of it is missing."""
        value: Value = self.data
        for key in path:
            if not isinstance(value, dict):
                return None
            value = value.get(key)
        return value

    def mapping(self, *path: str) -> dict[str, Value]:
        """Return the mapping at `path`, empty when there is none."""
        value = self.get(*path)
        return value if isinstance(value, dict) else {}

    def problem(self, code: str, path: Path, why: str, fix: str) -> Problem:
        """Return a problem with the key at `path`."""
        line, column = self.place(*path)
        return Problem(code, self.file, line, column, ".".join(str(part) for part in path), why, fix)


def load(text: str | bytes, file: str, *, empty: bool = False) -> Document:
    """Return the document in `text`; one without a line is only accepted with `empty`.

    Raises:
        ExtensionError: it is no YAML, or not a mapping of plain values; with line and column.
    """
    loader: Any = None
    source = _decoded(text, file)
    try:
        loader = _Loader(source)
        node = loader.get_single_node()
        if node is None and empty:
            return Document(file, {}, {}, source)
        if node is None:
            raise _Refused("the file is empty", None, "write at least `name`, `type` and `base`")
        data, places = _Maker(loader).document(node)
    except _Refused as refusal:
        raise _error(file, refusal.mark, refusal.why, refusal.fix) from None
    except yaml.MarkedYAMLError as error:
        why = " ".join(part for part in (error.context, error.problem) if part)
        raise _error(file, error.problem_mark or error.context_mark, why, "correct the YAML at this place") from None
    except yaml.YAMLError as error:
        why = " ".join(str(error).split()).partition(' in "')[0]
        raise _error(file, _Mark.of(source, error), why, "save the file as plain UTF-8 text") from None
    except RecursionError:
        raise _error(file, None, "the values are nested too deep", "write fewer levels") from None
    finally:
        if loader is not None:
            loader.dispose()
    return Document(file, data, places, source)


def _decoded(text: str | bytes, file: str) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        column = error.start - (text.rfind(b"\n", 0, error.start) + 1) + 1
        problem = Problem("yaml", file, line, column, "", "not UTF-8 text", "save the file as UTF-8")
        raise error_of([problem], f"read {file}") from None


def _error(file: str, mark: Any, why: str, fix: str) -> Exception:
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    return error_of([Problem("yaml", file, line, column, "", why, fix)], f"read {file}")


class _Mark(NamedTuple):
    """A place as PyYAML counts: from 0."""

    line: int
    column: int

    @classmethod
    def of(cls, source: str, error: Any) -> _Mark | None:
        """Return where a character is that YAML does not allow; the error knows its position only."""
        found = _NOT_ALLOWED.search(source)
        if not isinstance(error, yaml.reader.ReaderError) or found is None:
            return None
        return cls(source.count("\n", 0, found.start()), found.start() - (source.rfind("\n", 0, found.start()) + 1))


class _Refused(Exception):
    def __init__(self, why: str, mark: Any, fix: str) -> None:
        super().__init__(why)
        self.why, self.mark, self.fix = why, mark, fix


class _Maker:
    """Makes values of composed nodes."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._open: set[int] = set()
        self._count = 0
        self.places: dict[Path, Place] = {}

    def document(self, node: Any) -> tuple[dict[str, Value], dict[Path, Place]]:
        if not isinstance(node, yaml.MappingNode):
            raise _Refused("the top of the file is not a mapping", node.start_mark, "write `key: value` lines")
        data = self._value(node, ())
        assert isinstance(data, dict)
        return data, self.places

    def _value(self, node: Any, path: Path) -> Value:
        self._count += 1
        if self._count > MAXIMUM_NODES:
            raise _Refused("the document is too large", node.start_mark, "use fewer or smaller aliases")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            raise _Refused("an alias contains itself", node.start_mark, "write the value out")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return dict(self._items(node, path))
            return self._sequence(node, path)
        finally:
            self._open.discard(id(node))

    def _sequence(self, node: Any, path: Path) -> list[Value]:
        self._known_tag(node, ("seq",))
        values: list[Value] = []
        for index, item in enumerate(node.value):
            self.places.setdefault((*path, index), (item.start_mark.line + 1, item.start_mark.column + 1))
            values.append(self._value(item, (*path, index)))
        return values

    def _items(self, node: Any, path: Path) -> Iterator[tuple[str, Value]]:
        self._known_tag(node, ("map",))
        seen: set[str] = set()
        for key_node, _ in node.value:
            merge = key_node.tag == _TAG + "merge"
            key = "<<" if merge else self._key(key_node)
            if key in seen:
                raise _Refused(f"the key '{key}' is here twice", key_node.start_mark, "keep one of the two")
            seen.add(key)
        if "<<" in seen:
            self._loader.flatten_mapping(node)
        for key_node, value_node in node.value:
            key = self._key(key_node)
            self.places[(*path, key)] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            yield key, self._value(value_node, (*path, key))

    def _key(self, node: Any) -> str:
        value = self._scalar(node) if isinstance(node, yaml.ScalarNode) else None
        if not isinstance(value, str):
            raise _Refused("this key is not text", node.start_mark, "put the key in quotes")
        return value

    def _known_tag(self, node: Any, kinds: tuple[str, ...]) -> None:
        if node.tag not in {_TAG + kind for kind in kinds}:
            tag = node.tag.replace(_TAG, "!!")
            raise _Refused(f"values with the tag {tag} have no place here", node.start_mark, "remove the tag")

    def _scalar(self, node: Any) -> Value:
        self._known_tag(node, ("str", "int", "float", "bool", "null", "timestamp", "value"))
        kind = node.tag.removeprefix(_TAG)
        if kind in ("str", "timestamp", "value"):  # a date is no type of the contract: its text is what was meant
            text: str = node.value
            if any("\ud800" <= character <= "\udfff" for character in text):
                raise _Refused("half of a surrogate pair", node.start_mark, "write the character itself")
            return Date(text) if kind == "timestamp" else text
        try:
            value = self._loader.construct_object(node)
        except (ValueError, KeyError, OverflowError, IndexError):
            raise _Refused(f"this is no {kind}", node.start_mark, "correct the value or put it in quotes") from None
        if isinstance(value, float) and not math.isfinite(value):
            raise _Refused("not a finite number", node.start_mark, "put it in quotes, or write a number")
        return value
