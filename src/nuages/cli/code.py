"""Which code a daemon was started from: in a clone it changes without the version, and a daemon must not mix two."""

import hashlib
import os
from pathlib import Path

import nuages

ROOMS = ("engine", "services")


def fingerprint() -> str:
    """Return a digest of the times and sizes of the daemon's modules."""
    digest = hashlib.sha256(nuages.__version__.encode())
    package = Path(nuages.__file__).parent
    for room in ROOMS:
        for folder, folders, files in os.walk(package / room):
            folders.sort()
            for name in sorted(files):
                if name.endswith(".py"):
                    status = os.stat(f"{folder}/{name}")  # noqa: PTH116  a hundred of them, at each command
                    digest.update(f"{folder}/{name} {status.st_mtime_ns} {status.st_size}\n".encode())
    return digest.hexdigest()
