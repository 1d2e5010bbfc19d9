"""A hook tool's command line, as Juju's flag parser reads it: flags anywhere, `--` ends them, `-` is an argument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from nuages.engine.hooks.errors import UsageError
from nuages.engine.state import empty

BOOLEANS = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}


@dataclass(frozen=True)
class Flag:
    """A flag of a tool: its names without dashes, the first one is the key of its value."""

    names: tuple[str, ...]
    kind: Literal["text", "bool", "many"] = "text"


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
        name, equals, value = item.lstrip("-").partition("=")
        flag = known.get(name)
        if flag is None:
            raise UsageError(f"option provided but not defined: {item.partition('=')[0]}")
        if flag.kind == "bool":
            booleans[flag.names[0]] = _boolean(name, value) if equals else True
            continue
        if not equals:
            if not rest:
                raise UsageError(f"option needs an argument: {item}")
            value = rest.pop(0)
        texts[flag.names[0]] = value
    if most is not None and len(positional) > most:
        raise UsageError(f"unrecognized args: [{' '.join(_quoted(item) for item in positional[most:])}]")
    return Arguments(texts, booleans, tuple(positional), attached, stdin)


def _boolean(name: str, value: str) -> bool:
    parsed = BOOLEANS.get(value.lower())
    if parsed is None:
        raise UsageError(f'invalid value "{value}" for option --{name}: not a boolean')
    return parsed


def _quoted(text: str) -> str:
    return f'"{text}"'
