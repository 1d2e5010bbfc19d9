"""How the programs get here."""

from __future__ import annotations
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from nuages.engine import programs


def ensure(names: Sequence[str], progress: Callable[[programs.Progress], None] | None) -> dict[str, Path]:
    """Return where each named program is."""
    found = {}
    for name in names:
        where = shutil.which(name) or (f"/tmp/gb/{name}" if Path(f"/tmp/gb/{name}").exists() else None)
        if not where:
            raise programs.ProgramError(f"cannot find {name}")
        found[name] = Path(where)
    return found
