"""Documents from strangers: YAML becomes plain data of a sane size before anything looks at it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, cast

import yaml

from nuages.engine.errors import CharmError

LARGEST = 1024 * 1024
MOST_NODES = 100_000
DEEPEST = 50
DATE = "tag:yaml.org,2002:timestamp"
MERGE = "tag:yaml.org,2002:merge"

Document = Mapping[str, Any]


class _Loader(yaml.SafeLoader):
    """Without dates, which JSON does not have, and without merge keys, of which few bytes can make gigabytes."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Refuse merge keys."""
        for key, _ in node.value:
            if key.tag == MERGE:
                text = "merge keys (<<) are not read: write out what they stand for"
                raise yaml.constructor.ConstructorError(None, None, text, key.start_mark)


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != DATE]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(content: bytes, name: str) -> Document:
    """Return a document of a charm; an empty one is an empty mapping.

    Raises:
        CharmError: it is no YAML, no mapping, too large, or holds what JSON cannot.
    """
    if len(content) > LARGEST:
        raise CharmError(f"cannot read {name}: it has {len(content)} bytes, {LARGEST} are allowed")
    try:
        value: object = yaml.load(content, Loader=_Loader)  # noqa: S506  a safe loader with less in it
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise CharmError(f"cannot read {name}: it is not a mapping")
        for number, _ in enumerate(_nodes(cast("object", value), 0)):
            if number > MOST_NODES:
                raise ValueError("it is too large")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise CharmError(f"cannot read {name}: {error.problem or error.context}{place}") from error
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        # what YAML's tags can provoke: !!int x, !!bool x, !!timestamp x
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CharmError(f"cannot read {name}: {reason}") from error
    return cast("Document", value)


def _nodes(value: object, depth: int) -> Iterator[None]:
    """Yield for each node, aliases counted as often as they stand, so that a small document cannot mean a huge one."""
    yield
    if depth > DEEPEST:
        raise ValueError("it is nested too deeply")
    if isinstance(value, dict):
        for key, item in cast("dict[object, object]", value).items():
            if not isinstance(key, str):
                raise ValueError(f"the key {key!r} is no text")
            yield from _nodes(key, depth)
            yield from _nodes(item, depth + 1)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _nodes(item, depth + 1)
    elif isinstance(value, str):
        value.encode()  # half a character is an error here, not when it is stored
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is no number that JSON has")
    elif value is not None and not isinstance(value, (bool, int)):
        raise ValueError(f"a value of type {type(value).__name__} has no place in it")
