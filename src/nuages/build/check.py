"""Checking a project before anything runs: reads its files, asks every rule, leaves out what comments silence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nuages.build import rock_project
from nuages.build.errors import BuildError
from nuages.extension import codes
from nuages.extension.problems import ExtensionError, Problem, error_of
from nuages.extension.project import read
from nuages.extension.rules import check as check_charm
from nuages.extension.survey import ignores, rules
from nuages.extension.survey.sources import ROCK, Survey, survey

_ROCK_CODES = {"no-rockcraft-yaml": "rockcraft-yaml", "build": "no-manage-py"}
_PLACE = re.compile(r"^cannot use (.*):(\d+):(\d+): (.*)$", re.DOTALL)


@dataclass(frozen=True)
class Report:
    """What a check found."""

    problems: tuple[Problem, ...]
    silenced: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    """What is no problem and good to know."""
    texts: dict[str, str] | None = None
    """The files it looked at: name to show to text."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that stop a build."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that do not."""
        return tuple(problem for problem in self.problems if problem.severity != "error")


def root_of(charm: Path) -> Path:
    """Return the project that a charm's folder belongs to: the one around `charm/`, else the folder itself."""
    return charm.parent if charm.resolve().name == "charm" else charm


def check(
    charm: Path, more: Iterable[Problem] = (), *, evaluated: bool = False, commands: frozenset[str] | None = None
) -> Report:
    """Check the charm in the folder `charm` and the project around it.

    `more` are problems found elsewhere, to be silenced and put in order with the rest: those of an evaluation, which
    also knows the `commands` that the project's packages bring.
    """
    root = root_of(charm)
    try:
        found = survey(root, charm, commands)
    except ExtensionError as error:
        if not error.problems:
            raise
        return Report(tuple(rules.in_order([*error.problems, *_whole_charm(charm, error)])))
    problems = rules.check(found)
    if found.project.extended and _is_project(root):
        problems = _with_rock(root, found, problems)
    ran = frozenset(row.name for row in codes.CODES if evaluated or row.by != codes.EVALUATED)
    texts = found.texts()
    comments = ignores.find(texts, found.project.document.file)
    kept, silenced = ignores.silence(rules.in_order([*problems, *more]), comments, ran)
    told = rules.in_order(kept)
    notes = tuple(problem for problem in told if problem.severity == "note")
    return Report(tuple(problem for problem in told if problem not in notes), tuple(silenced), notes, texts)


def refuse(report: Report, doing: str) -> None:
    """Stop where the report has errors.

    Raises:
        ExtensionError: all of them are in it.
    """
    if report.errors:
        raise error_of(report.errors, doing)


def warnings_line(report: Report, command: str) -> str:
    """Return the warnings in a line, "" when there is none."""
    if not report.warnings:
        return ""
    names = ", ".join(dict.fromkeys(problem.code for problem in report.warnings))
    count = len(report.warnings)
    return f"{count} {'warning' if count == 1 else 'warnings'} ({names}): {command} check"


def _is_project(root: Path) -> bool:
    """Whether a project lies around the charm, not the charm alone."""
    return (root / ROCK).is_file() or any(root.glob("manage.py")) or any(root.glob("*/manage.py"))


def _whole_charm(charm: Path, error: ExtensionError) -> list[Problem]:
    """Return what is wrong with the charm itself, when it is another file that cannot be read."""
    try:
        found = check_charm(read(charm))
    except ExtensionError:
        return []
    return [problem for problem in found if problem not in error.problems]


def _with_rock(root: Path, found: Survey, problems: list[Problem]) -> list[Problem]:
    """Add what keeps a rock from being built."""
    try:
        rock_project.read(root)
    except BuildError as error:
        code = _ROCK_CODES.get(error.code, error.code)
        message = str(error)
        file = found.rock.file if found.rock else found.prefix + ROCK
        place = _PLACE.match(message)
        if place:
            problem = Problem(code, file, int(place[2]), int(place[3]), "", place[4], error.fix)
        else:
            why = message.partition(": ")[2] or message
            line, column = found.rock.place("name") if found.rock else (0, 0)
            problem = Problem(code, file, line, column, "", why, error.fix)
        if code in codes.BY_NAME:
            return [*problems, problem]
        raise
    except ExtensionError as error:
        return [*problems, *error.problems]
    return problems
