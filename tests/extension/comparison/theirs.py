"""The real charmcraft beside ours: where `make charmcraft` put it, and a process that expands documents with it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nuages.engine.programs import cache_dir
from tests.extension.documents import Case

SIDE = Path(__file__).with_name("charmcraft_side.py")


def python() -> Path | None:
    """Return the Python that has charmcraft, None when `make charmcraft` has not been run on this machine."""
    path = cache_dir() / "charmcraft" / "bin" / "python"
    return path if path.exists() else None


class Charmcraft:
    """charmcraft in one process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def expand(self, case: Case) -> dict[str, Any]:
        """Return `{"document": ...}` or `{"error": ...}`."""
        request = {"files": case.files, "experimental": case.experimental}
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "charmcraft's process ended"
        return json.loads(answer)

    def expand_all(self, cases: Iterable[Case]) -> Iterator[tuple[Case, dict[str, Any]]]:
        for case in cases:
            yield case, self.expand(case)


@contextmanager
def running(interpreter: Path) -> Iterator[Charmcraft]:
    with subprocess.Popen(
        [str(interpreter), str(SIDE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield Charmcraft(process)
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait(timeout=60)
