"""The `expected` files of examples/traps: a line for each finding, its code and words that are in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

TRAPS = Path(__file__).parents[3] / "examples" / "traps"
NAMES = sorted(path.parent.name for path in TRAPS.glob("*/expected"))
RECORDED = Path(__file__).parent / "recorded"
"""What was observed of each on the real engine: `--update-golden` of tests/e2e/test_traps.py writes it."""


def check(name: str, findings: Sequence[dict[str, Any]]) -> None:
    """Fail unless the findings are those that the trap's file expects, each with its words."""
    wanted = [line.partition(": ") for line in (TRAPS / name / "expected").read_text().splitlines()]
    assert [finding["code"] for finding in findings] == [code for code, _, _ in wanted], findings
    for finding, (_, _, words) in zip(findings, wanted, strict=True):
        place = f"{finding['file']}:{finding['line']}" if finding["file"] else ""
        text = " | ".join([finding["what"], finding["why"], place, finding["fix"]])
        for word in words.split(", "):
            assert word in text, f"{name}: no {word!r} in {text}"
