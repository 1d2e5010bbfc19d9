"""Real servers, one container per module."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    # Short, for the Unix socket's 107 bytes.
    path = Path(tempfile.mkdtemp(prefix="nuages-"))
    yield path
    shutil.rmtree(path)
