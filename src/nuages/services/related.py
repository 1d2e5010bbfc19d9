"""Whose pod an address is, for a server in a pod that lets related applications in by where they come from.

Run in pods: standard library only. Every pod's /etc/hosts has the names of all pods of the model, and the engine writes
a new pod's before anything runs in it: so a replaced unit is known before any hook has run. Addresses are the kernel's
word, and none is used again soon.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

HOSTS = "/etc/hosts"
# A unit's name as a headless service of Kubernetes gives it; an application's own name has no dot.
_UNIT = re.compile(r"([a-z0-9-]+)-[0-9]+\.([a-z0-9-]+)-endpoints")
_SETTLED = 0.1
"""Seconds after which a file that is written in place is whole."""
_AGAIN = 0.02


def owners(hosts: str) -> dict[str, str]:
    """Return address → application of a file of hosts."""
    found: dict[str, str] = {}
    for line in hosts.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        for name in names:
            unit = _UNIT.fullmatch(name)
            if unit and unit[1] == unit[2]:
                found.setdefault(address, unit[1])
    return found


class Pods:
    """The pods of the model, as the file of hosts names them now."""

    def __init__(self, path: str = HOSTS) -> None:
        self._path = Path(path)
        self._known: tuple[tuple[int, int], dict[str, str]] = ((0, 0), {})  # one value: threads may ask

    def application(self, address: str) -> str:
        """Return the application whose pod has the address, "" when it is no pod's."""
        deadline = time.monotonic() + _SETTLED
        found, settled = self._read()
        while address not in found and not settled and time.monotonic() < deadline:
            time.sleep(_AGAIN)  # it may be half written
            found, settled = self._read()
        return found.get(address, "")

    def _read(self) -> tuple[dict[str, str], bool]:
        """Return what the file says, and whether nobody has written to it just now."""
        about = self._path.stat()
        stamp, known = (about.st_mtime_ns, about.st_size), self._known
        if stamp == known[0]:
            return known[1], True
        found = owners(self._path.read_text())
        settled = time.time() - about.st_mtime > _SETTLED
        if settled:
            self._known = (stamp, found)
        return found, settled
