"""How a diagnosis is told: for people and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from nuages.cli.diagnosis.findings import Finding
from nuages.cli.diagnosis.observations import Observations, Visit


def lines(seen: Observations, findings: Sequence[Finding]) -> list[str]:
    """Return lines for people."""
    told: list[str] = []
    for finding in findings:
        told += [*paragraph(finding), ""]
    told += [f"note: {note}" for note in seen.notes]
    if not findings:
        pages = len(seen.visits)
        told.append(f"{seen.application} at {seen.url}: nothing wrong in {pages} {'page' if pages == 1 else 'pages'}")
        told += [f"  {_visited(visit)}" for visit in seen.visits]
    else:
        told.append(
            f"{seen.application} at {seen.url}: {len(findings)} {'thing' if len(findings) == 1 else 'things'} wrong"
        )
    return told


def paragraph(finding: Finding) -> list[str]:
    """Return one finding: what is seen, why, where, and the mend."""
    at = [f"  at:  {finding.place}"] if finding.place else []
    return [
        f"{finding.severity}: {finding.what} [{finding.code}]",
        f"  why: {finding.why}",
        *at,
        f"  fix: {finding.fix}",
    ]


def sentence(finding: Finding) -> str:
    """Return one finding as a line."""
    return f"{finding.what}: {finding.why}" + (f" ({finding.place})" if finding.place else "")


def document(seen: Observations, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the findings and everything that they go by, as JSON has it."""
    return {
        "application": seen.application,
        "url": seen.url,
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity,
                "what": finding.what,
                "why": finding.why,
                "fix": finding.fix,
                "file": finding.file or None,
                "line": finding.line or None,
            }
            for finding in findings
        ],
        "observations": asdict(seen),
    }


def _visited(visit: Visit) -> str:
    words = {"login": "form, sent empty", "missing": "a page that is not there", "static": "static file"}
    return f"{visit.last.status or visit.last.failure} {visit.first.path}" + (
        f" ({words[visit.role]})" if visit.role in words else ""
    )
