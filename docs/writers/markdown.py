"""The little Markdown that the reference pages are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NOTICE = "<!-- Written by `make docs` from the code's own tables: change those, not this page. -->"


def page(title: str, *blocks: str) -> str:
    """Return a whole page: the notice, the title, the blocks with an empty line between them."""
    return "\n\n".join([NOTICE, f"# {title}", *(block.strip("\n") for block in blocks if block)]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells may hold any text, also bars and line ends."""
    lines = [_row(head), _row(["---"] * len(head))]
    return "\n".join([*lines, *(_row(row) for row in rows)])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    """Return a cell on one line; a `<` outside of code would begin HTML."""
    parts = " ".join(text.split()).replace("|", "\\|").split("`")
    parts[::2] = [part.replace("<", "&lt;") for part in parts[::2]]
    return "`".join(parts)


def code(text: object) -> str:
    """Return `text` set as code; "" stays empty."""
    shown = str(text)
    if not shown:
        return ""
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"


def fenced(text: str, language: str = "text") -> str:
    """Return a block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def listed(items: Iterable[str]) -> str:
    """Return the items with commas between them, a dash when there are none."""
    return ", ".join(items) or "–"
