"""reference/statuses.md: what a unit's status can say, and what to type."""

from __future__ import annotations

import string
from collections.abc import Iterator

from docs.writers.markdown import code, page, table
from nuages.charm.statuses import CONDITIONS, LIMIT

LEVELS = {
    "active": "The application does its work.",
    "maintenance": "The charm is at work; wait.",
    "waiting": "Something else has to happen first, and will by itself.",
    "blocked": "You have to do something; the message says what.",
}


def pages() -> Iterator[tuple[str, str]]:
    """Return the page."""
    yield (
        "statuses.md",
        page(
            "Statuses",
            "What `nuages status` (and `juju status`) shows for a unit of your application. A message that ends with "
            "a command names what to type; where it says `juju`, type `nuages` on this machine. Words in capitals "
            f"stand for what is the case. A message has at most {LIMIT} characters; the command in it is never cut.",
            table(("level", "means"), ((code(level), meaning) for level, meaning in LEVELS.items())),
            *(_level(level) for level in LEVELS),
        ),
    )


def _level(level: str) -> str:
    rows = (
        (
            code(_shown(condition.text)) or "(no message)",
            condition.why,
            code(_shown(condition.command)),
            code(condition.test),
        )
        for condition in CONDITIONS
        if condition.level == level
    )
    return f"## {level}\n\n" + table(("message", "why", "type", "shown by"), rows)


def _shown(template: str) -> str:
    """Return a template with its fields in capitals."""
    return template.format(**{name: name.upper() for name in fields(template)})


def fields(template: str) -> list[str]:
    """Return the names of the fields of a template."""
    return [name for _, name, _, _ in string.Formatter().parse(template) if name]
