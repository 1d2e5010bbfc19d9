"""Tools of a running action."""

from __future__ import annotations

import re
from typing import Any, cast

from nuages.engine.hooks.arguments import Arguments
from nuages.engine.hooks.context import HookContext
from nuages.engine.hooks.errors import ToolError, UsageError
from nuages.engine.hooks.tools.tool import FORMAT, SILENT, Tool
from nuages.engine.state import Operation

KEY = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
RESERVED = ("stdout", "stdout-encoding", "stderr", "stderr-encoding", "return-code")


def action_get(context: HookContext, arguments: Arguments) -> Any:
    """Return all parameters or the one at a dotted key."""
    value: Any = dict(_operation(context).params)
    for part in arguments.at(0).split(".") if arguments.at(0) else ():
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, Any]", value).get(part)
    return value


def action_set(context: HookContext, arguments: Arguments) -> Any:
    """Set results: dotted keys make nested mappings."""
    _operation(context)
    for (*parents, last), value in [_result(item) for item in arguments.positional]:
        place = context.results
        for part in parents:
            deeper = place.get(part)
            if not isinstance(deeper, dict):
                deeper = place[part] = cast("dict[str, Any]", {})
            place = cast("dict[str, Any]", deeper)
        place[last] = value
    return SILENT


def action_log(context: HookContext, arguments: Arguments) -> Any:
    """Say something while the action runs."""
    _operation(context)
    context.sink.action_log(" ".join(arguments.positional))
    return SILENT


def action_fail(context: HookContext, arguments: Arguments) -> Any:
    """Make the action fail, whatever its exit code."""
    _operation(context)
    context.failure = " ".join(arguments.positional) or "action failed without reason given, check action for errors"
    return SILENT


def _result(item: str) -> tuple[list[str], str]:
    key, equals, value = item.partition("=")
    if not equals:
        raise UsageError("a result is key=value")
    parts = key.split(".")
    for part in parts:
        if not KEY.fullmatch(part):
            raise UsageError(f'key "{part}" is not made of lower case letters, digits and inner hyphens')
        if part in RESERVED:
            raise UsageError(f'cannot set reserved action key "{part}"')
    return parts, value


def _operation(context: HookContext) -> Operation:
    operation = context.draft.operations.get(context.hook.operation)
    if operation is None or context.hook.kind != "action":
        raise ToolError("not running an action")
    return operation


TOOLS = (
    Tool("action-get", action_get, FORMAT, 1),
    Tool("action-set", action_set, (), None),
    Tool("action-log", action_log, (), None),
    Tool("action-fail", action_fail, (), None),
)
