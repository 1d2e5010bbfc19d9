"""Folders in the making whose maker was killed: nobody else knows of them."""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path

DAY = 86400.0


def sweep(directory: Path, *, prefix: str = ".") -> None:
    """Remove the hidden folders of `directory` in which nothing was made for a day.

    They are made by whoever builds, under a name of their own, and renamed when they are complete. No build takes a
    day, so no lock is needed. What cannot be removed is left to the next time.
    """
    oldest = time.time() - DAY
    with contextlib.suppress(OSError):
        for path in list(directory.iterdir()):
            if path.name.startswith(prefix) and path.is_dir() and not path.is_symlink():
                with contextlib.suppress(OSError):
                    if path.stat().st_mtime < oldest:
                        shutil.rmtree(path, ignore_errors=True)
