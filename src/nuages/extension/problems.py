"""What is wrong with a document, where, and how to mend it."""

from collections.abc import Sequence
from dataclasses import dataclass

from nuages.errors import NuagesError


@dataclass(frozen=True)
class Edit:
    """A mend that takes no thought: lines that take the place of others."""

    file: str
    """As in the problem."""
    first: int
    last: int
    """Smaller than `first` for lines that come in before it."""
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: it has to change (error), or should (warning), before the charm is built."""

    code: str
    """A stable word for programs: `reserved-prefix`."""
    file: str
    line: int
    """From 1; 0 when the problem has no place in the file."""
    column: int
    """From 1."""
    what: str
    """The key or value that the problem is about: `config.options.webserver-port`."""
    why: str
    fix: str
    severity: str = "error"
    """`error` or `warning`; a `note` tells something and asks for nothing."""
    edits: tuple[Edit, ...] = ()
    """What `nuages check --fix` would do; empty where a person must decide."""

    @property
    def place(self) -> str:
        """`FILE:LINE:COLUMN`, or as much of it as is known."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.place}: {self.what}: {self.why}" if self.what else f"{self.place}: {self.why}"


class ExtensionError(NuagesError):
    """A project that cannot be read or expanded; `problems` holds every reason found."""

    code = "extension"

    def __init__(self, message: str, *, fix: str = "", code: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, fix=fix, code=code)
        self.problems = tuple(problems)


def error_of(problems: Sequence[Problem], doing: str) -> ExtensionError:
    """Return the error that tells all of `problems`; `doing` says what cannot be done: `expand charmcraft.yaml`."""
    if len(problems) == 1:
        only = problems[0]
        return ExtensionError(f"cannot {doing}: {only}", fix=only.fix, code=only.code, problems=problems)
    lines = [f"cannot {doing}: {len(problems)} problems"]
    for problem in problems:
        lines.append(f"  {problem}")
        lines.append(f"    fix: {problem.fix}")
    return ExtensionError("\n".join(lines), fix="mend each of the places above", code="problems", problems=problems)
