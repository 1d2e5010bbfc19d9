"""Requirements that are named by their path: what they hold decides whether they have to be installed again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from nuages.build.files import NEVER, content_digest, walk

_OPTION = re.compile(r"^(?:-e|--editable)[ =]\s*")
_LOCAL = (".", "/", "file:")


def digests(files: Sequence[Path]) -> list[str] | None:
    """Return a digest of each wheel and folder that requirement files name; None when one of them is not found."""
    found: list[str] = []
    for file in files:
        if file.suffix == ".toml":
            continue
        for line in file.read_text(errors="replace").splitlines():
            word = _OPTION.sub("", line.split(" #")[0].strip())
            _, _, direct = word.partition(" @ ")
            word = direct.strip() or word
            if not word.startswith(_LOCAL):
                continue
            name = re.sub(
                r"\[[^]]*\]$", "", word.split(";")[0].split(" ")[0].removeprefix("file://").removeprefix("file:")
            )
            path = file.parent / name
            if path.is_dir():
                found.append(content_digest((inner.relative_to(path).as_posix(), inner) for inner in walk(path, NEVER)))
            elif path.is_file():
                found.append(content_digest([("", path)]))
            else:
                return None
    return found
