"""The table of hook tools, and the one way to call them. What is not in the table does not exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nuages.engine.errors import EngineError
from nuages.engine.hooks.arguments import parse
from nuages.engine.hooks.context import HookContext
from nuages.engine.hooks.errors import ToolError
from nuages.engine.hooks.tools import actions, relations, secrets, unit
from nuages.engine.hooks.tools.tool import Tool, render

TOOLS: dict[str, Tool] = {tool.name: tool for tool in (*unit.TOOLS, *relations.TOOLS, *secrets.TOOLS, *actions.TOOLS)}


@dataclass(frozen=True)
class Reply:
    """What the shim prints, and its exit code."""

    code: int
    out: str = ""
    err: str = ""


def run(context: HookContext, name: str, argv: Sequence[str], attached: dict[str, bytes], stdin: bytes | None) -> Reply:
    """Run a hook tool; a refusal is a reply, not an exception."""
    tool = TOOLS.get(name)
    if tool is None:
        return Reply(2, err=f"ERROR unknown hook tool {name!r}\n")
    try:
        arguments = parse(argv, tool.flags, attached=attached, stdin=stdin, most=tool.most)
        value = tool.function(context, arguments)
        return Reply(0, render(value, arguments.text("format") or tool.default_format))
    except ToolError as error:
        return Reply(error.exit_code, err=f"ERROR {error}\n")
    except EngineError as error:
        return Reply(1, err=f"ERROR {error}\n")
