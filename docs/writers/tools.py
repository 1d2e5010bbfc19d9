"""reference/hook-tools.md: what a charm can call, from the engine's table."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from docs.writers.markdown import code, listed, page, table
from nuages.engine.hooks.arguments import Flag
from nuages.engine.hooks.tools import TOOLS
from nuages.engine.hooks.tools.tool import Tool
from nuages.engine.hooks.tools.unit import nothing, unsupported

REFUSED = (unsupported, nothing)
"""What stands for tools that do nothing here."""


def pages() -> Iterator[tuple[str, str]]:
    """Return the page."""
    yield (
        "hook-tools.md",
        page(
            "Hook tools",
            "The commands through which a charm talks to Juju; the library `ops` calls them, and you do with "
            "`nuages exec --unit APP/0 TOOL …`. They take Juju's flags and print its formats. What a tool writes "
            "counts when the hook ends well; `status-set`, `juju-log` and `application-version-set` count at once.",
            table(("tool", "what it does", "flags"), (_row(tool) for _, tool in sorted(TOOLS.items()))),
            f"{listed(code(name) for name, tool in sorted(TOOLS.items()) if tool.function in REFUSED)} are only there "
            "because Juju has them. A tool that is not in the table does not exist here.",
        ),
    )


def _row(tool: Tool) -> tuple[str, str, str]:
    return code(tool.name), summary(tool), listed(_flag(flag) for flag in tool.flags)


def _flag(flag: Flag) -> str:
    names = "|".join(f"--{name}" if len(name) > 1 else f"-{name}" for name in flag.names)
    return code(names + ("" if flag.kind == "bool" else " VALUE"))


def summary(tool: Tool) -> str:
    """Return the first sentence of the tool's own docstring."""
    return (inspect.getdoc(tool.function) or "").partition("\n")[0]
