"""A hook tool's command line, as Juju's flag parser reads it: flags anywhere, `--` ends them, `-` is an argument."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from nuages.engine.charm import empty
from nuages.engine.config import BOOLEANS
from nuages.engine.hooks.errors import UsageError


@dataclass(frozen=True)
class Flag:
    """A flag of a tool: its names without dashes, the first one is the key of its value."""

    names: tuple[str, ...]
    kind: Literal["text", "bool"] = "text"


@dataclass(frozen=True)
class Arguments:
    """A parsed command line. `files` holds contents that the shim read in the charm container."""

    flags: dict[str, str] = field(default_factory=empty)
    booleans: dict[str, bool] = field(default_factory=empty)
    positional: tuple[str, ...] = ()
    attached: dict[str, bytes] = field(default_factory=empty)
    stdin: bytes | None = None

    def text(self, name: str, default: str = "") -> str:
        """Return a text flag."""
        return self.flags.get(name, default)

    def flag(self, name: str) -> bool:
        """Return a boolean flag, false when not given."""
        return self.booleans.get(name, False)

    def at(self, index: int, default: str = "") -> str:
        """Return a positional argument."""
        return self.positional[index] if index < len(self.positional) else default


def parse(
    argv: Sequence[str], flags: Sequence[Flag], *, attached: dict[str, bytes], stdin: bytes | None, most: int | None
) -> Arguments:
    """Parse a tool's arguments.

    Args:
        argv: without the tool's name.
        flags: what the tool knows.
        attached: contents by argument, for `key#file=PATH`.
        stdin: what `--file` reads.
        most: how many positional arguments are allowed; None for any number.

    Raises:
        UsageError: an unknown flag, a missing value, too many arguments.
    """
    known = {name: flag for flag in flags for name in flag.names}
    texts: dict[str, str] = {}
    booleans: dict[str, bool] = {}
    positional: list[str] = []
    rest = list(argv)
    while rest:
        item = rest.pop(0)
        if item == "--":
            positional += rest
            break
        if not item.startswith("-") or item == "-":
            positional.append(item)
            continue
        for flag, shown, value in _flags(item, known):
            if flag.kind == "bool":
                booleans[flag.names[0]] = True if value is None else _boolean(shown, value)
            elif value is not None:
                texts[flag.names[0]] = value
            elif rest:
                texts[flag.names[0]] = rest.pop(0)
            else:
                raise UsageError(f"option needs an argument: {shown}")
    if most is not None and len(positional) > most:
        raise UsageError(f"unrecognized args: [{' '.join(_quoted(item) for item in positional[most:])}]")
    return Arguments(texts, booleans, tuple(positional), attached, stdin)


def _flags(item: str, known: Mapping[str, Flag]) -> Iterator[tuple[Flag, str, str | None]]:
    """Yield each flag of a word, as it was written, and its value: `--name=value`, `-rVALUE`, or letters in a row."""
    if item.startswith("--"):
        name, equals, value = item[2:].partition("=")
        yield _known(known, name, f"--{name}"), f"--{name}", value if equals else None
        return
    letters = item[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        flag = _known(known, letter, f"-{letter}")
        if flag.kind == "bool":
            yield flag, f"-{letter}", None
        else:
            yield flag, f"-{letter}", letters or None
            return


def _known(known: Mapping[str, Flag], name: str, shown: str) -> Flag:
    if name not in known:
        raise UsageError(f"option provided but not defined: {shown}")
    return known[name]


def _boolean(shown: str, value: str) -> bool:
    if value not in BOOLEANS:
        raise UsageError(f'invalid value "{value}" for option {shown}: not a boolean')
    return BOOLEANS[value]


def _quoted(text: str) -> str:
    return f'"{text}"'
