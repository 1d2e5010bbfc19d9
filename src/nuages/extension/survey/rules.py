"""Every rule across files."""

from __future__ import annotations

from nuages.extension import rules
from nuages.extension.problems import Problem
from nuages.extension.survey import commands, fit, local, processes, reading
from nuages.extension.survey.sources import Survey

RULES = (*fit.RULES, *commands.RULES, *processes.RULES, *reading.RULES, *local.RULES)


def check(survey: Survey) -> list[Problem]:
    """Return every problem of the charm's files and of the project around them, in the order of their places."""
    found = [*rules.check(survey.project)]
    if survey.project.extended:
        found += [problem for rule in RULES for problem in rule(survey)]
    return in_order(found)


def in_order(problems: list[Problem]) -> list[Problem]:
    """Return the problems by file and place, each once."""
    return sorted(set(problems), key=lambda problem: (problem.file, problem.line, problem.column, problem.code))
