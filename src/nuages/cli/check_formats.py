"""The forms in which a check's report is written: for people, programs, and two kinds of CI. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from nuages import __version__
from nuages.build.check import Report
from nuages.extension import codes
from nuages.extension.problems import Problem

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
"""SARIF 2.1.0, OASIS standard."""


def text(report: Report) -> str:
    """Return lines for people."""
    lines: list[str] = []
    for problem in report.problems:
        what = f"{problem.what}: " if problem.what else ""
        lines.append(f"{problem.place}: {problem.severity}: {what}{problem.why} [{problem.code}]")
        lines.append(f"    fix: {problem.fix}")
    lines.append(_summary(report))
    return "\n".join(lines) + "\n"


def _summary(report: Report) -> str:
    errors, warnings = len(report.errors), len(report.warnings)
    counts = [_count(errors, "error"), _count(warnings, "warning")] if errors or warnings else ["no problems"]
    if report.silenced:
        counts.append(f"{len(report.silenced)} silenced")
    return ", ".join(counts)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def as_json(report: Report) -> str:
    """Return a JSON document: `problems`, `silenced`, `notes`, and the number of each severity."""
    document = {
        "errors": len(report.errors),
        "warnings": len(report.warnings),
        "problems": [_row(problem) for problem in report.problems],
        "silenced": [_row(problem) for problem in report.silenced],
        "notes": [_row(problem) for problem in report.notes],
    }
    return json.dumps(document, indent=1) + "\n"


def _row(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "file": problem.file,
        "line": problem.line or None,
        "column": problem.column or None,
        "what": problem.what,
        "why": problem.why,
        "fix": problem.fix,
    }


def github(report: Report) -> str:
    """Return workflow commands, which GitHub shows beside the lines of a pull request."""
    return "".join(f"{_command(problem)}\n" for problem in report.problems)


def _command(problem: Problem) -> str:
    place = f",line={problem.line},col={problem.column}" if problem.line else ""
    what = f"{problem.what}: " if problem.what else ""
    message = _escaped(f"{what}{problem.why}\nfix: {problem.fix}")
    title = f"title={problem.code}"
    return f"::{problem.severity} file={_property(problem.file)}{place},{title}::{message}"


def _escaped(message: str) -> str:
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _escaped(value).replace(":", "%3A").replace(",", "%2C")


def sarif(report: Report) -> str:
    """Return a SARIF log: what code scanning takes."""
    names = list(dict.fromkeys(problem.code for problem in (*report.problems, *report.silenced)))
    driver = {
        "name": "nuages",
        "version": __version__,
        "rules": [_rule(codes.BY_NAME[name]) for name in names],
    }
    results = [_result(problem, names) for problem in report.problems]
    results += [{**_result(problem, names), "suppressions": [{"kind": "inSource"}]} for problem in report.silenced]
    log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}
    return json.dumps(log, indent=1) + "\n"


def _rule(code: codes.Code) -> dict[str, Any]:
    return {
        "id": code.name,
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": code.why},
        "help": {"text": code.mend},
        "defaultConfiguration": {"level": code.severity},
    }


def _result(problem: Problem, names: list[str]) -> dict[str, Any]:
    what = f"{problem.what}: " if problem.what else ""
    location: dict[str, Any] = {"artifactLocation": {"uri": problem.file}}
    if problem.line:
        location["region"] = {"startLine": problem.line, "startColumn": max(problem.column, 1)}
    return {
        "ruleId": problem.code,
        "ruleIndex": names.index(problem.code),
        "level": problem.severity,
        "message": {"text": f"{what}{problem.why}. Fix: {problem.fix}"},
        "locations": [{"physicalLocation": location}],
    }


WRITERS: dict[str, Callable[[Report], str]] = {"text": text, "json": as_json, "github": github, "sarif": sarif}
