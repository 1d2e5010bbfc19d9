"""Where uv is."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from nuages.engine.programs import ProgramError


def uv() -> list[str]:
    """Return the command that runs uv: the one beside this Python, else its module, else the one on PATH.

    Raises:
        ProgramError: there is none.
    """
    beside = Path(sys.executable).parent / "uv"
    if os.access(beside, os.X_OK):
        return [str(beside)]
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv"]
    if found := shutil.which("uv"):
        return [found]
    raise ProgramError("cannot find uv, which fetches programs and builds environments", fix="pip install uv")
