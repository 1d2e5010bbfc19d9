"""reference/problems/: one page for each code, made of its row in the table and its case, which is really checked."""

from __future__ import annotations

import ast
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import nuages
from docs.cases import CHARM, Case, cases
from docs.writers.markdown import code, fenced, page, table
from nuages.build.check import Report, check
from nuages.extension import codes
from nuages.extension.codes import Code
from nuages.extension.problems import Problem
from nuages.extension.project import EXPERIMENTAL

SEEN = {
    codes.CHARMCRAFT: "In charmcraft.yaml, as charmcraft sees it",
    codes.LOST: "In charmcraft.yaml: taken by charmcraft, and then lost",
    codes.JUJU: "In charmcraft.yaml: taken by charmcraft, refused later",
    codes.PROJECT: "In the project's files together",
    codes.EVALUATED: "By evaluating the settings",
}
"""Where a problem is seen, in the order of the index."""

INDIRECT = frozenset(("option-entry", "endpoint-entry", "no-manage-py", "no-wsgi", "no-requirements", "rockcraft-yaml"))
"""Codes that are chosen by what was found, or that a rock's builder gives to its errors."""

_LANGUAGES = {".py": "python", ".yaml": "yaml", ".toml": "toml", ".sh": "sh"}


MADE_IN = ("extension/*.py", "extension/survey/*.py", "build/*.py")
"""Modules of ours in which problems are made."""


def written() -> set[str]:
    """Return every code that our modules write into a problem."""
    folder = Path(nuages.__file__).parent
    files = [path for pattern in MADE_IN for path in folder.glob(pattern)]
    return {found for path in files for found in _written(ast.parse(path.read_text()))}


def _written(tree: ast.Module) -> Iterator[str]:
    """Yield the code in `problem("code", ...)`, `Problem("code", ...)`, `survey.at("code", ...)` and their like."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        position = {"problem": 0, "Problem": 0, "at": 0, "of": 1, "_literal": 3, "Field": 0, "found": 0, "Lack": 0}.get(
            called
        )
        if position is None or len(node.args) <= position:
            continue
        value = node.args[position]
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


def gaps() -> Iterator[str]:
    """Yield the codes without a row in the table or without a case, and those of either that nothing writes."""
    known, made = set(codes.BY_NAME), written()
    for name in sorted(made - known):
        yield f"code {name} is not in src/nuages/extension/codes.py"
    for name in sorted(known - set(cases())):
        yield f"code {name} has no docs/cases/{name}.txt"
    for name in sorted(known - made - INDIRECT):
        yield f"code {name} is in the table, and nothing writes it"


def report(case: Case, kind: str) -> Report:
    """Return what a check says of one of a case's projects."""
    kept, here = os.environ.pop(EXPERIMENTAL, None), Path.cwd()
    if case.experimental:
        os.environ[EXPERIMENTAL] = "1"
    try:
        with tempfile.TemporaryDirectory() as temporary:
            root = Path(temporary, "notes")
            root.mkdir()
            case.write(kind, root)
            os.chdir(root)
            return check(Path("charm"))
    finally:
        os.chdir(here)
        os.environ.pop(EXPERIMENTAL, None)
        if kept is not None:
            os.environ[EXPERIMENTAL] = kept


def pages() -> Iterator[tuple[str, str]]:
    """Return the index and the pages."""
    known = cases()
    yield "problems/README.md", _index()
    for row in codes.CODES:
        yield f"problems/{row.name}.md", _page(row, known[row.name])


def _index() -> str:
    sections = [
        f"## {title}\n\n"
        + table(
            ("code", "severity", "what it is", "mended by `--fix`"),
            (
                (f"[{row.name}]({row.name}.md)", row.severity, row.title, "yes" if row.fixable else "–")
                for row in codes.CODES
                if row.by == by
            ),
        )
        for by, title in SEEN.items()
    ]
    return page(
        "Problems",
        "What `nuages check` finds wrong with a project, all at once, each with its place "
        "(`charm/charmcraft.yaml:14:7`), its reason and its fix. `nuages pack` and `nuages up` check as well: errors "
        "stop them, warnings are named in a line. `nuages expand-extensions` stops at what charmcraft stops at, and at "
        "what would be lost.",
        "Where you know better, silence a code with a comment: behind the line, above it, or above the first key of "
        "charmcraft.yaml for the whole project. The reason is part of it:",
        fenced("postgresql:  # nuages: ignore[missing-driver] the driver comes with the base image", "yaml"),
        *sections,
    )


def _page(row: Code, case: Case) -> str:
    return page(
        row.name,
        f"**{row.title}.** {row.severity.capitalize()}. {SEEN[row.by]}.",
        row.why,
        "## How to mend it",
        row.mend + (" `nuages check --fix` does it where nothing has to be decided." if row.fixable else ""),
        "## Example",
        *_files(case.fires),
        *([_said(row, case)] if row.by != codes.EVALUATED else []),
        "## Not this",
        "Here all is well:",
        *_files(case.near),
    )


def _said(row: Code, case: Case) -> str:
    found = [problem for problem in _told(report(case, "fires")) if problem.code == row.name]
    assert found, f"docs/cases/{row.name}.txt does not fire"
    return "\n>\n".join(_quote(problem) for problem in found)


def _told(report: Report) -> Iterator[Problem]:
    yield from report.problems
    yield from report.notes


def _quote(problem: Problem) -> str:
    what = f"{problem.what}: " if problem.what else ""
    return f"> {problem.place}: {what}{problem.why}\n>\n> fix: {problem.fix}"


def _files(changes: Mapping[str, str]) -> Iterator[str]:
    for name, text in changes.items():
        if text.startswith("!removed"):
            yield f"No {code(name)}."
            continue
        shown = "".join(_shown(line) for line in text.removeprefix("!whole\n").splitlines(keepends=True)).rstrip("\n")
        language = "text" if name == CHARM and not shown else _LANGUAGES.get(Path(name).suffix, "text")
        yield f"{code(name)}{'' if shown else ', empty'}" + (f":\n\n{fenced(shown, language)}" if shown else "")


def _shown(line: str) -> str:
    return f"# no {line.split()[1]}:\n" if line.startswith("!without") else line
