"""Version numbers as programs print them."""

from __future__ import annotations

import re

Version = tuple[int, ...]


def parse(text: str) -> Version | None:
    """Return the first version number in a program's output ("bubblewrap 0.8.0" → (0, 8, 0)), None without one."""
    match = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in match[0].split(".")) if match else None


def fits(version: Version | None, minimum: str, below: str = "") -> bool:
    """Return whether a version is at least `minimum` and, if given, less than `below`."""
    if version is None:
        return False
    low = tuple(int(part) for part in minimum.split("."))
    high = tuple(int(part) for part in below.split(".")) if below else None
    return version >= low and (high is None or version < high)
