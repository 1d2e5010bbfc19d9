"""What `config` and `model-config` share: telling a question from a change, and printing one value."""

import json
from typing import Any

import click

from nuages.cli.words import from_file, pairs


def change_or_read(words: tuple[str, ...], reset: tuple[str, ...]) -> tuple[str | None, dict[str, str], list[str]]:
    """Return (the key asked for, what to set, what to reset).

    Raises a usage error for a mixture of both, for several keys, or for a key both set and reset.
    """
    resets = [key for group in reset for key in group.split(",") if key]
    assignments = [word for word in words if "=" in word]
    keys = [word for word in words if "=" not in word]
    if keys and (assignments or resets):
        raise click.UsageError(f"{keys[0]!r} is not KEY=VALUE, and the other words change options")
    if len(keys) > 1:
        raise click.UsageError("only one option can be shown at a time; name none to see all")
    values = {key: from_file(value) for key, value in pairs(assignments).items()}
    both = sorted(set(values) & set(resets))
    if both:
        raise click.UsageError(f"{both[0]!r} is both set and reset")
    return (keys[0] if keys else None), values, resets


def print_value(value: Any, form: str) -> None:
    """Print one option's value: as plain text, or as JSON."""
    if form == "json":
        print(json.dumps(value))
    elif isinstance(value, bool):
        print("true" if value else "false")
    else:
        print("" if value is None else value)
