"""The lines that select a settings module, changed so that under the charm they select the bridge."""

from __future__ import annotations

import ast

from nuages.extension.django.findings import Selection
from nuages.extension.django.modules import constant, parse


def reselected(text: str, selections: tuple[Selection, ...], bridge: str, target: str) -> str:
    """Return the text of a file whose `selections` name the bridge.

    Where a line selects what the bridge imports, its name is enough: without the charm the bridge changes nothing.
    Where it selects another module (for development), that stays in force outside of the charm.
    """
    tree = parse(text)
    if tree is None:
        return text
    lines = text.splitlines(keepends=True)
    wanted = {selection.place.line: selection.module for selection in selections}
    found: list[tuple[int, int, int, str]] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call | ast.Assign) or node.lineno not in wanted:
            continue
        module = wanted[node.lineno]
        value = node.args[1] if isinstance(node, ast.Call) and len(node.args) == 2 else getattr(node, "value", None)
        if (
            module == bridge
            or constant(value) != module
            or not isinstance(value, ast.Constant)
            or value.end_col_offset is None
        ):
            continue
        quote = _at(lines[value.lineno - 1], value.col_offset)[:1]
        new = f"{quote}{bridge}{quote}"
        if module != target:
            environ = "environ" if "os.environ" not in lines[node.lineno - 1] else "os.environ"
            new += f" if {quote}DJANGO_BASE_URL{quote} in {environ} else {quote}{module}{quote}"
        found.append((value.lineno, value.col_offset, value.end_col_offset, new))
    for line, start, end, new in sorted(set(found), reverse=True):
        raw = lines[line - 1].encode()
        lines[line - 1] = (raw[:start] + new.encode() + raw[end:]).decode()
    return "".join(lines)


def _at(line: str, column: int) -> str:
    """Return what follows a column that counts bytes, as Python's syntax trees do."""
    return line.encode()[column:].decode()
