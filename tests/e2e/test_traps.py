"""examples/traps on the real engine: the right cause of each is named, and nothing on sound projects."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.diagnosis.expected import NAMES, RECORDED, TRAPS, check
from tests.e2e.conftest import world_of
from tests.e2e.world import EXAMPLE, World

LAYOUTS = TRAPS.parent / "layouts"
SOUND = [EXAMPLE, LAYOUTS / "environ", LAYOUTS / "flat", LAYOUTS / "celery"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(home: Path) -> Iterator[World]:
    """One model for all traps: each `up` brings the next one's code into it."""
    with world_of(TRAPS / "base", home) as world:
        world.up()
        yield world


def diagnosed(world: World, code: int) -> dict[str, Any]:
    done = world.nuages("diagnose", "--format", "json", check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def record(request: pytest.FixtureRequest, name: str, document: dict[str, Any]) -> None:
    if request.config.getoption("--update-golden"):
        RECORDED.mkdir(exist_ok=True)
        (RECORDED / f"{name}.json").write_text(json.dumps(document["observations"], indent=1) + "\n")


@pytest.mark.parametrize("name", NAMES)
def test_a_trap_is_named(shop: World, name: str, request: pytest.FixtureRequest):
    shutil.rmtree(shop.project)
    shutil.copytree(TRAPS / "base", shop.project)
    shutil.copytree(TRAPS / name, shop.project, dirs_exist_ok=True)
    commands = shop.project / "commands"
    done = shop.nuages("up", check=False)
    for line in commands.read_text().splitlines() if commands.exists() else []:
        shop.nuages(*line.split())
    try:
        document = diagnosed(shop, 1)
        check(name, document["findings"])
        if not commands.exists():
            # `up` ends with the same: it refuses, or says it in a note.
            said = done.stdout + done.stderr
            assert [finding["why"] for finding in document["findings"] if finding["why"] not in said] == [], said
            errors = [finding for finding in document["findings"] if finding["severity"] == "error"]
            assert done.returncode == (1 if errors else 0), said
        record(request, name, document)
    finally:
        if commands.exists():
            shop.nuages("config", "traefik-k8s", "--reset", "external_hostname")


def test_the_sound_one_is_content_again(shop: World, request: pytest.FixtureRequest):
    shutil.rmtree(shop.project)
    shutil.copytree(TRAPS / "base", shop.project)
    assert "nuages diagnose" not in shop.up()
    document = diagnosed(shop, 0)
    assert document["findings"] == []
    record(request, "base", document)


@pytest.mark.parametrize("example", SOUND, ids=lambda path: path.name)
def test_nothing_is_said_of_a_sound_project(example: Path, home: Path, request: pytest.FixtureRequest):
    with world_of(example, home) as world:
        if example != EXAMPLE:
            world.nuages("init", "--settings", "--yes")
        assert "nuages diagnose" not in world.up()
        document = diagnosed(world, 0)
    assert document["findings"] == []
    assert len(document["observations"]["visits"]) >= 6
    record(request, example.name, document)
