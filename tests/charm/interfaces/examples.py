"""Databags as providers write them: `examples/*.json`, most of them from the charms' own documentation."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from nuages.charm.facts import Relation
from nuages.charm.interfaces import BY_NAME
from nuages.charm.interfaces.base import NotReady, Value

DIRECTORY = Path(__file__).parent / "examples"
NAMES = sorted(path.stem for path in DIRECTORY.glob("*.json"))

THOROUGH = pytest.mark.parametrize(
    "examples", [200, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
"""For tests that draw their examples: some at each run, many in `make test-all`."""

AUTHORITY = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"


def example(name: str, **changes: Any) -> Relation:
    """Return the relation of an example file; `changes` are the relation's fields."""
    found = _document(name)
    relation = Relation(
        found["endpoint"],
        found["interface"],
        7,
        "other",
        found.get("app", {}),
        found.get("units", {}),
        found.get("secrets", {}),
        "myapp",
    )
    return relation._replace(**changes)


@cache
def _document(name: str) -> dict[str, Any]:
    return json.loads((DIRECTORY / f"{name}.json").read_text(encoding="utf-8"))


def parse(relation: Relation) -> Value | NotReady:
    """Read a relation as the charm does."""
    return BY_NAME[relation.interface].parse(relation)


def variables(relation: Relation) -> dict[str, str]:
    """Return the variables of a relation that is complete."""
    value = parse(relation)
    assert not isinstance(value, NotReady), value.reason
    return {variable.name: variable.value for variable in value.variables}
