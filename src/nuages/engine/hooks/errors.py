"""How a hook tool fails: the text goes to stderr after `ERROR `, the code is the tool's exit code."""

from __future__ import annotations

from nuages.engine.errors import EngineError


class ToolError(EngineError):
    """A hook tool refused: exit code 1."""

    code = "hook-tool"
    exit_code = 1


class UsageError(ToolError):
    """A hook tool was called wrongly: exit code 2."""

    exit_code = 2
