"""A file to be written, and what it is for."""

from __future__ import annotations

import difflib
from dataclasses import dataclass


@dataclass(frozen=True)
class Planned:
    """One file as it shall be."""

    path: str
    """Relative to the project's directory, with `/`."""
    text: str
    why: str
    changes: bool = False
    """Whether it changes a file of the project's own, for which a person is asked first."""
    executable: bool = False


def difference(planned: Planned, old: str) -> str:
    """Return the change as a unified diff."""
    lines = difflib.unified_diff(
        old.splitlines(keepends=True),
        planned.text.splitlines(keepends=True),
        planned.path if old else "/dev/null",
        planned.path,
    )
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)
