"""The Python interpreters of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nuages.engine.sandbox.image import Mount


@dataclass(frozen=True)
class Python:
    """An interpreter: `version` is "3.12", `executable` its real path, `prefix` its sys.base_prefix."""

    version: str
    executable: Path
    prefix: Path

    def mounts(self) -> tuple[Mount, ...]:
        """Return what a container needs bound to run it: nothing when it is below /usr, which always is."""
        if self.prefix.is_relative_to("/usr") and self.executable.is_relative_to("/usr"):
            return ()
        return (Mount(self.prefix, str(self.prefix)),)
