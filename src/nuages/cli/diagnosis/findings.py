"""What is wrong, why, and the mend."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from nuages.cli.diagnosis.observations import Observations

Severity = Literal["error", "warning"]
"""`error`: a visitor does not get the front page, or loses data; `warning`: something else does not work."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    code: str
    severity: Severity
    what: str
    """What a visitor sees."""
    why: str
    fix: str
    setting: str = ""
    """The setting to look at; its place is the finding's if that has none of its own."""
    file: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """File and line, as editors take them; "" when unknown."""
        return f"{self.file}:{self.line}" if self.file and self.line else self.file


def placed(finding: Finding, seen: Observations) -> Finding:
    """Return the finding with the place of its setting, or of the settings module when that has none."""
    if finding.file or not finding.setting:
        return finding
    places = {name: (file, line) for name, file, line in seen.places}
    file, line = places.get(finding.setting) or places.get("") or ("", 0)
    return replace(finding, file=file, line=line)
