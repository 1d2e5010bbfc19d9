"""Runs in a sandbox: asks a charm's own class for the variables that it adds, its `extra_variables` and `aliases`.

Alone in its process, with the packed charm in /charm; the question is a JSON file, the answer JSON on the stdout that
it was started with. It holds no secret: the values are those that settings are evaluated with.
"""

# pyright: basic
from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from typing import Any

CHARM = "/charm"


def main() -> None:
    """Answer the question."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the charm prints is not the answer
    with open(sys.argv[1]) as file:  # noqa: PTH123  the charm may bring a pathlib of its own
        asked = json.load(file)
    sys.path[:0] = [f"{CHARM}/{name}" for name in ("src", "lib", "venv")]
    os.chdir(CHARM)
    found: dict[str, object]
    try:
        found = {"variables": _ask(asked)}
    except BaseException as error:
        place = next(
            (
                frame
                for frame in reversed(traceback.extract_tb(error.__traceback__))
                if frame.filename.startswith(CHARM)
            ),
            None,
        )
        line = place.lineno if place and place.filename == f"{CHARM}/src/charm.py" else 0
        found = {"error": f"{type(error).__name__}: {error}".strip(), "line": line}
    json.dump(found, answer)
    answer.flush()
    os._exit(0)


def _ask(asked: dict[str, Any]) -> dict[str, str]:
    """Return the environment with what the charm adds, in the order in which the charm adds it: variables, aliases."""
    runtime = importlib.import_module("nuages.charm")
    own = importlib.import_module("charm")
    made = [value for value in vars(own).values() if isinstance(value, type) and issubclass(value, runtime.DjangoCharm)]
    charm = next(value for value in made if value.__module__ == own.__name__)
    relations = tuple(runtime.Relation(**relation) for relation in asked["relations"])
    facts = runtime.Facts(**asked["facts"], relations=relations, related=frozenset(asked["related"]))
    found: dict[str, str] = dict(asked["environment"])
    found |= {each.name: each.value for each in charm.extra_variables(facts, dict(found))}
    return {**found, **{alias: found[name] for alias, name in charm.aliases.items() if name in found}}


if __name__ == "__main__":
    main()
