"""One environment variable of the application, and where it comes from."""

from collections.abc import Iterable
from urllib.parse import unquote

from nuages.contract.row import NamedTuple


class Variable(NamedTuple):
    """A variable. `origin` says which option, integration or built-in made it, so that one knows what changes it."""

    name: str
    value: str
    origin: str
    secret: bool = False
    """Whether the value may be shown."""


def is_exportable(text: str) -> bool:
    """Whether a process can have a text as a variable: it has no NUL in it, and no half a character."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


MASK = "***"
SHORTEST = 4
"""Shorter values are not hidden in texts: they would hide half of every sentence, and are no secrets."""


def secrets(variables: Iterable[Variable]) -> tuple[str, ...]:
    """Return what no text may show: the secret values, and what they are when a program has decoded its URL."""
    values = {variable.value for variable in variables if variable.secret and variable.value}
    return tuple(sorted(values | set(map(unquote, values))))


def mask(text: str, secrets: tuple[str, ...]) -> str:
    """Return `text` with every secret value in it replaced, the longest first."""
    for value in sorted(secrets, key=len, reverse=True):
        if len(value) >= SHORTEST:
            text = text.replace(value, MASK)
    return text
