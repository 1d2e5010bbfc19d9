"""The model option `logging-config`: which records a debug-log keeps. Pure.

As Juju's logging library reads it: `<root>=INFO;unit=DEBUG` gives modules their levels, the longest name that fits
counts, and a level alone is the root's. What names no root leaves it at INFO, the model's default.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

LEVELS = ("TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
ROOT = "<root>"


@lru_cache(maxsize=64)
def parse(text: str) -> Mapping[str, str] | None:
    """Return module → level, None when the text is no such list."""
    found = {ROOT: "INFO"}
    for part in filter(None, (part.strip() for part in text.replace(",", ";").split(";"))):
        name, separator, level = (word.strip() for word in part.rpartition("="))
        if level.upper() not in LEVELS or (separator and not name):
            return None
        found[name or ROOT] = level.upper()
    return found


def keeps(text: str, module: str, level: str) -> bool:
    """Tell whether a record of this module and level is kept."""
    levels = parse(text) or {ROOT: "INFO"}
    names = module.split(".")
    fitting = (".".join(names[:length]) for length in range(len(names), 0, -1))
    least = next((levels[name] for name in fitting if name in levels), levels[ROOT])
    return LEVELS.index(level) >= LEVELS.index(least)
