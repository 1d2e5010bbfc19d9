"""What a hook tool is: a name, its flags, and one function."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

import yaml

from nuages.engine.hooks.arguments import Arguments, Flag
from nuages.engine.hooks.context import HookContext
from nuages.engine.hooks.errors import ToolError, UsageError

FORMAT = (Flag(("format",)), Flag(("output", "o")))
RELATION = Flag(("relation", "r"))


class Silence:
    """The result of a tool that prints nothing."""


SILENT: Final = Silence()
Function = Callable[[HookContext, Arguments], Any]


@dataclass(frozen=True)
class Tool:
    """A row of the table. `most` is the number of positional arguments it takes, None for any."""

    name: str
    function: Function
    flags: tuple[Flag, ...] = ()
    most: int | None = 0
    default_format: str = "smart"


def relation_id(context: HookContext, arguments: Arguments) -> int:
    """Return the relation of `-r` (`3` or `db:3`), else the hook's own.

    Raises:
        UsageError: no such relation, or none given outside a relation hook.
    """
    text = arguments.text("relation")
    if not text:
        if context.hook.relation is None:
            raise UsageError("no relation id specified")
        return context.hook.relation
    digits = text.rpartition(":")[2]
    try:
        return context.relation(int(digits) if digits.isascii() and digits.isdecimal() else -1).id
    except ToolError as error:
        raise UsageError(f'invalid value "{text}" for option -r: {error}') from None


def render(value: Any, form: str) -> str:
    """Return the output of a tool in one of Juju's formats.

    Raises:
        UsageError: no such format.
    """
    if isinstance(value, Silence):
        return ""
    renderers = {"json": _json, "yaml": _yaml, "smart": _smart}
    if form not in renderers:
        raise UsageError(f'invalid value "{form}" for option --format: unknown format "{form}"')
    return renderers[form](value)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"


def _smart(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, list):
        return "".join(f"{item}\n" for item in cast("list[object]", value))
    return f"{value}\n" if isinstance(value, (str, bool, int, float)) else _yaml(value)


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=False, allow_unicode=True, width=math.inf).removesuffix("...\n")
