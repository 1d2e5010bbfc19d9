"""One `up` of a project at a time: two would both make its model."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from nuages.cli.state import state_dir
from nuages.cli.up.console import Console


@contextmanager
def alone(project: Path, console: Console) -> Generator[None, None, None]:
    """Wait until no other `up` of the project works on its model, and keep others waiting meanwhile."""
    name = hashlib.sha256(os.fsencode(project)).hexdigest()[:16]
    with (state_dir() / f"up-{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.line("  another `up` of this project is under way; this one goes on when it has ended")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
