"""`# nuages: ignore[CODE] reason`: comments that silence a rule where a person knows better.

A comment behind something counts for its line; one on a line of its own for the next line that holds something. In
charmcraft.yaml, above the first key, it counts for the whole project.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from nuages.extension import codes
from nuages.extension.names import nearest
from nuages.extension.problems import Edit, Problem

_COMMENT = re.compile(r"#\s*nuages:\s*ignore\[([^\]\n]*)\]:?[ \t]*(.*)$")


class Ignore(NamedTuple):
    """One code in one comment."""

    file: str
    line: int
    """Of the comment."""
    column: int
    covers: int
    """The line it counts for; 0 for the whole project."""
    code: str
    reason: str


def find(texts: Mapping[str, str], charm: str) -> Iterator[Ignore]:
    """Yield the comments in `texts`; `charm` is the name of charmcraft.yaml."""
    for file, text in texts.items():
        if "nuages:" not in text:
            continue
        lines = text.splitlines()
        first = next((number for number, line in enumerate(lines, 1) if _holds(line)), len(lines) + 1)
        for number, line in enumerate(lines, 1):
            match = _COMMENT.search(line)
            if not match:
                continue
            covers = number
            if not _holds(line):
                below = (later for later, other in enumerate(lines[number:], number + 1) if _holds(other))
                covers = 0 if file == charm and number < first else next(below, number)
            for code in match[1].split(","):
                yield Ignore(file, number, match.start() + 1, covers, code.strip(), match[2].strip())


def _holds(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#") and line.strip() != "---"


def silence(
    problems: Iterable[Problem], ignores: Iterable[Ignore], ran: frozenset[str]
) -> tuple[list[Problem], list[Problem]]:
    """Return the problems that stay, comments that silence nothing among them, and those that are silenced.

    `ran` are the codes that were looked for: a comment for another one may have its use.
    """
    problems, ignores = list(problems), list(ignores)
    used: set[Ignore] = set()
    kept: list[Problem] = []
    silenced: list[Problem] = []
    for problem in problems:
        matching = [ignore for ignore in ignores if ignore.reason and _covers(ignore, problem)]
        used.update(matching)
        (silenced if matching else kept).append(problem)
    return [*kept, *(_unused(ignore) for ignore in ignores if ignore not in used and _is_idle(ignore, ran))], silenced


def _covers(ignore: Ignore, problem: Problem) -> bool:
    return ignore.code == problem.code and (
        not ignore.covers or (ignore.file == problem.file and problem.line in (ignore.covers, ignore.line))
    )


def _is_idle(ignore: Ignore, ran: frozenset[str]) -> bool:
    return ignore.code in ran or ignore.code not in codes.BY_NAME or not ignore.reason


def _unused(ignore: Ignore) -> Problem:
    if ignore.code not in codes.BY_NAME:
        why = f"there is no code {ignore.code!r}{nearest(ignore.code, codes.BY_NAME)}"
    elif not ignore.reason:
        why = "an ignore without a reason does not count"
    else:
        why = f"nothing here has the problem {ignore.code}"
    fix = "remove it, or write `# nuages: ignore[CODE] reason`"
    return Problem("unused-ignore", ignore.file, ignore.line, ignore.column, "", why, fix, "warning")


def removal(text: str, problem: Problem) -> tuple[Edit, ...]:
    """Return the edit that takes the comment of an `unused-ignore` away."""
    line = text.splitlines()[problem.line - 1]
    rest = line[: problem.column - 1].rstrip()
    return (Edit(problem.file, problem.line, problem.line, (rest,) if rest else ()),)
