"""What `up` looks at before it calls a project done: its pages, its settings, its database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nuages.cli.diagnosis.findings import Finding
from nuages.cli.diagnosis.gather import Target, observe
from nuages.cli.diagnosis.report import sentence
from nuages.cli.diagnosis.traps import explain
from nuages.cli.errors import CliError
from nuages.cli.root import command_name
from nuages.cli.session import Session
from nuages.cli.up.page import remark, wait
from nuages.cli.up.watch import Trouble, output

PATIENCE = 20.0
IN_THE_LOG = ("page-fails", "not-loading", "no-web-server", "no-answer", "no-route")
"""Findings of which the application's own output may tell more."""
NOT_YET = ("unit", "no-answer", "no-route", "no-web-server")
"""Findings that say of an unfinished model only that it is unfinished."""


def look(session: Session, application: str, url: str, directory: Path, *, changed: bool) -> tuple[str, ...]:
    """Ask the pages, and when something was changed Django itself; return notes.

    Raises `CliError` with cause and mend when visitors do not get the page, or data would be lost.
    """
    visit = wait(url, seconds=PATIENCE)
    target = Target(session, application, url, directory)
    seen = observe(target, session.get("status"), look_inside=changed)
    findings = explain(seen)
    if any(finding.severity == "error" for finding in findings):
        raise _error(session, application, findings)
    notes = [f"{sentence(finding)}; {finding.fix}" for finding in findings]
    notes += seen.notes
    if word := remark(seen.front or visit):
        notes.insert(0, word)
    if findings:
        notes.append(f"`{command_name()} diagnose` tells it in full")
    return tuple(notes)


def _error(session: Session, application: str, findings: tuple[Finding, ...]) -> CliError:
    first, *others = findings  # the errors come first
    lines = [f"cannot call {application} done: {sentence(first)}"]
    lines += [f"  also: {sentence(finding)}; {finding.fix}" for finding in others]
    if first.code in IN_THE_LOG and not first.file:
        lines += [f"  | {line}" for line in output(session, application)]
    return CliError("\n".join(lines), fix=first.fix, code=first.code)


def failure(session: Session, application: str, url: str, directory: Path, trouble: Trouble) -> CliError:
    """Return the error for a model that does not settle, with what the application itself has to do with it."""
    causes: tuple[Finding, ...] = ()
    if trouble.state is not None and trouble.state.unit.startswith(f"{application}/"):
        status: dict[str, Any] = session.get("status")
        seen = observe(Target(session, application, url, directory), status)
        causes = tuple(finding for finding in explain(seen) if finding.code not in NOT_YET)
    log = [f"  | {line}" for line in trouble.log]
    if trouble.fix:
        return CliError("\n".join([trouble.reason, *log]), fix=trouble.fix, code="change")
    lines = [f"cannot bring up {application}: {trouble.reason}"]
    lines += [f"  likely: {sentence(finding)}; {finding.fix}" for finding in causes]
    fix = f"{command_name()} debug-log --replay" + (f" --include {trouble.state.unit}" if trouble.state else "")
    return CliError(
        "\n".join([*lines, *log]),
        fix=f"{fix}; then mend it and repeat `{command_name()} up`",
        code="not-settled",
    )
