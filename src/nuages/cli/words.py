"""How arguments are read: `key=value` pairs, units, durations, local paths."""

import re
from collections.abc import Sequence
from pathlib import Path

import click

from nuages.cli.errors import CliError

_UNIT = re.compile(r"^[a-z][a-z0-9]*(?:-[a-z0-9]*[a-z][a-z0-9]*)*/(?:0|[1-9][0-9]*|leader)$")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def pairs(words: Sequence[str], *, what: str = "key=value") -> dict[str, str]:
    """Return `key=value` words as a mapping.

    A value `@FILE` is the content of that file, as with Juju. Raises a usage error for a word without `=`, or a key
    given twice.
    """
    result: dict[str, str] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or not key:
            raise click.UsageError(f"{word!r} is not {what}")
        if key in result:
            raise click.UsageError(f"{key!r} is given twice")
        result[key] = value
    return result


def from_file(value: str) -> str:
    """Return the value, or for `@FILE` that file's content."""
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CliError(f"cannot read {value[1:]!r}: {reason}", fix="name a text file that you can read") from error


def is_unit(word: str) -> bool:
    """Tell whether a word is a unit's name, as `notes/0` or `notes/leader`."""
    return _UNIT.fullmatch(word) is not None


def unit(word: str) -> str:
    """Return a unit's name, refusing anything else."""
    if not is_unit(word):
        raise click.UsageError(f"{word!r} is not a unit; a unit is written as APPLICATION/NUMBER")
    return word


def seconds(word: str) -> float:
    """Return a duration such as `30s`, `1m30s` or `500ms` in seconds; a bare number counts seconds."""
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", word):
        return float(word)
    parts = _DURATION.findall(word)
    if not parts or "".join(number + letter for number, letter in parts) != word:
        raise click.UsageError(f"{word!r} is not a duration; write 30s, 5m or 1h")
    return sum(float(number) * _SECONDS[letter] for number, letter in parts)


def resource_path(word: str) -> str:
    """Return the absolute path of a local file or folder; raises `CliError` when it does not exist."""
    path = Path(word).expanduser()
    if not path.exists():
        raise CliError(f"cannot find {word!r}: there is no such file or folder", fix="name one that exists")
    return str(path.resolve())
