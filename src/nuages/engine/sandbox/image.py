"""What a container's file system is made of, as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from nuages.engine.sandbox.errors import SandboxError


def _empty() -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Mount:
    """A path of the host that appears in a container at `target`."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True)
class Image:
    """What a container starts from.

    `root` is copied into the container's own writable root when its pod is made; `mounts` are big trees bound
    read-only in place. The sandbox adds /usr from the host, /proc, /dev, /run and whatever a small root lacks (bin,
    lib, /etc/passwd …).
    """

    root: Path
    mounts: tuple[Mount, ...] = ()
    environment: Mapping[str, str] = field(default_factory=_empty)
    """Added to Pebble's own environment, for example PATH."""
    notes: tuple[str, ...] = ()
    """Shown by status, for example "Python 3.11, rock: 3.12"."""
    owners: Mapping[str, int] = field(default_factory=_empty)
    """Path in the root → uid (and gid) that owns it and everything below; all else belongs to the container's root."""

    @classmethod
    def load(cls, directory: Path) -> Image:
        """Return the image described by `directory`/image.json; its `root` is relative to `directory`.

        Raises:
            SandboxError: the file is missing or does not have the shape that `to_json` writes.
        """
        path = directory / "image.json"
        try:
            document: Any = json.loads(path.read_text())
        except OSError as error:
            raise SandboxError(
                f"cannot read the image {directory}: {error.strerror}", fix="build the rock again"
            ) from None
        except ValueError as error:
            raise SandboxError(f"cannot read the image {path}: {error}", fix="build the rock again") from None
        try:
            return cls.from_json(document, directory)
        except (TypeError, LookupError, ValueError, AttributeError) as error:
            raise SandboxError(f"cannot read the image {path}: {error!r}", fix="build the rock again") from None

    @classmethod
    def from_json(cls, document: Mapping[str, Any], directory: Path = Path("/")) -> Image:
        """Return the image that `to_json` described; relative roots are taken from `directory`."""
        mounts = cast("list[list[Any]]", document.get("mounts", []))
        return cls(
            root=directory / str(document["root"]),
            mounts=tuple(Mount(Path(str(m[0])), str(m[1]), bool(m[2]) if len(m) > 2 else False) for m in mounts),
            environment={str(k): str(v) for k, v in document.get("environment", {}).items()},
            notes=tuple(str(note) for note in document.get("notes", [])),
            owners={str(k): int(v) for k, v in document.get("owners", {}).items()},
        )

    def to_json(self, directory: Path = Path("/")) -> dict[str, Any]:
        """Return the JSON document of image.json, with a root below `directory` written relative to it."""
        root = (
            self.root.relative_to(directory)
            if self.root.is_relative_to(directory) and directory != Path("/")
            else self.root
        )
        return {
            "root": str(root),
            "mounts": [[str(m.source), m.target, *([True] if m.writable else [])] for m in self.mounts],
            "environment": dict(self.environment),
            "notes": list(self.notes),
            "owners": dict(self.owners),
        }
