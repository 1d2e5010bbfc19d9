"""The external programs: which versions, where from, and how they get into the cache."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nuages.errors import NuagesError


class ProgramError(NuagesError):
    """An external program could not be found, fetched or built."""

    code = "program"


@dataclass(frozen=True)
class Progress:
    """How far the fetching of one program is, in bytes."""

    program: str
    done: int
    total: int | None
    note: str = ""


def cache_dir() -> Path:
    """Return $XDG_CACHE_HOME/nuages, by default ~/.cache/nuages."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "nuages"


def ensure(*names: str, progress: Callable[[Progress], None] | None = None) -> dict[str, Path]:
    """Return where each named program is, fetching or building those that this machine lacks."""
    from nuages.engine.programs.fetch import ensure as fetch

    return fetch(names, progress)


def cancel() -> None:
    """Stop every `ensure` under way, from any thread: tools are killed, and nothing half-fetched stays."""
    from nuages.engine.programs.fetch import cancel as stop

    stop()
