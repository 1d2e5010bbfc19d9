"""reference/traps.md: what `nuages diagnose` finds, code by code."""

from __future__ import annotations

from collections.abc import Iterator

from docs.writers.markdown import code, page, table
from nuages.cli.diagnosis.traps import TRAPS


def pages() -> Iterator[tuple[str, str]]:
    """Return the page."""
    yield (
        "traps.md",
        page(
            "Traps",
            "What [`nuages diagnose`](cli/diagnose.md) names, and `nuages up` at its end: ways in which a project that "
            "runs on a laptop does not under its charm. It opens pages as a browser would, asks Django about its "
            "settings from inside, and reads what services print; the file and line are shown where they are known. "
            "Most have a project in `examples/traps` that falls into them.",
            table(
                ("code", "you see", "why", "mend"),
                ((code(trap.code), trap.shows, trap.why, trap.mend) for trap in TRAPS),
            ),
        ),
    )


def gaps() -> Iterator[str]:
    """Yield the traps without a word for a column."""
    for trap in TRAPS:
        if not all((trap.shows, trap.why, trap.mend)):
            yield f"trap {trap.code} is not described"
