"""The real thing: the command line, the daemon, pods and servers, in a state folder of the test's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.world import EXAMPLE, World


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def home():
    """A home folder with a short path (Unix sockets hold 107 bytes), gone with everything in it at the end."""
    directory = Path(tempfile.mkdtemp(prefix="nu-", dir="/tmp"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


@contextmanager
def world_of(example: Path, home: Path) -> Iterator[World]:
    """A copy of an example and a `nuages` command with a state folder of its own; all gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="w", dir=home))
    project = directory / example.name
    shutil.copytree(example, project)
    world = World(
        project=project,
        environment={
            **{key: value for key, value in os.environ.items() if not key.startswith(("JUJU_", "NUAGES_", "DJANGO_"))},
            "XDG_STATE_HOME": str(directory / "s"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
    )
    try:
        yield world
    finally:
        known = world.nuages("models", "--format", "json", check=False).stdout or "{}"
        for model in json.loads(known).get("models", []):
            world.nuages("-m", model["short-name"], "down", "--purge", check=False)
    leftover = subprocess.run(
        ["pgrep", "-af", str(directory)], capture_output=True, text=True, check=False
    ).stdout.strip()
    assert not leftover, f"processes were left behind:\n{leftover}"


@pytest.fixture(scope="module")
def world(home: Path) -> Iterator[World]:
    """A world of examples/notes."""
    with world_of(EXAMPLE, home) as world:
        yield world
