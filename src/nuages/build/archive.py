"""Zip files with the same bytes on every machine."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nuages.build.errors import BuildError
from nuages.build.files import space_checked

_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Entry:
    """The content of one file of an archive."""

    content: bytes
    executable: bool = False


def write(path: Path, entries: Mapping[str, Entry]) -> str:
    """Write the archive to `path` at once, and return its sha256.

    Entries are sorted, times and modes fixed, and nothing is compressed: what deflate makes of a file differs between
    versions of zlib.

    Raises:
        BuildError: nothing can be written there.
    """
    if path.is_dir():
        raise BuildError(f"cannot write {path}: it is a directory", fix="name another place with --output")
    with space_checked(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            why = f"{error.filename} is no directory"
            raise BuildError(f"cannot write {path}: {why}", fix="name another place with --output") from None
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for entry_name in sorted(entries):
                    entry = entries[entry_name]
                    info = zipfile.ZipInfo(entry_name, _TIME)
                    info.create_system = 3
                    info.external_attr = (0o100755 if entry.executable else 0o100644) << 16
                    archive.writestr(info, entry.content)
            temporary.chmod(0o644)
            digest = hashlib.sha256(temporary.read_bytes()).hexdigest()
            temporary.rename(path)
        finally:
            temporary.unlink(missing_ok=True)
    return digest
