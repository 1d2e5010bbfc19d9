"""Trials that are refused are findings, not failures of the trial."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from nuages.engine.doctor import trials
from nuages.engine.sandbox.errors import SandboxError


def test_a_bubblewrap_that_pods_may_not_read(tmp_path: Path) -> None:
    def inside(path: Path) -> str:
        raise SandboxError(f"cannot mount {path}: only its owner may read it", fix=f"chmod -R o+rX {path}")

    namespaces: Any = SimpleNamespace(enter=list, inside=inside)
    found = trials._bubblewrap(namespaces, tmp_path / "bwrap", tmp_path / "log")
    assert found is not None
    assert "only its owner may read it" in found.reason
    assert found.fix.startswith("chmod")
