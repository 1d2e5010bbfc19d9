"""Real servers, one container per module."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            # The first test of a server fetches it, or builds it: minutes, once per machine.
            item.add_marker(pytest.mark.timeout(1200))


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    # Short, for the Unix socket's 107 bytes.
    path = Path(tempfile.mkdtemp(prefix="nuages-"))
    yield path
    shutil.rmtree(path)
