"""Pods of each user map that this user can have, on one event loop for each module."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from nuages.engine.pods import Container, ContainerSpec, Mode, Model, Pod, PodSpec
from nuages.engine.programs import pythons
from nuages.engine.sandbox import users
from nuages.engine.sandbox.errors import NamespacesError
from nuages.engine.sandbox.image import Image, Mount

T = TypeVar("T")
MODES = [found.mode for found in users.candidates()]
PYTHON = pythons.inspect(Path(sys.executable))
assert PYTHON


def eventually(condition: Callable[[], T], timeout: float = 20) -> T:
    """Wait until a condition is true and return what it returned."""
    end = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.02)
    return value


def execute(container: Container, *argv: str, **options: Any) -> Coroutine[Any, Any, tuple[int, str]]:
    """Run a command through Pebble and return its exit code and output."""
    import ops.pebble

    def work(client: ops.pebble.Client) -> tuple[int, str]:
        process = client.exec(list(argv), combine_stderr=True, working_dir="/", timeout=30, **options)
        try:
            return 0, process.wait_output()[0] or ""
        except ops.pebble.ExecError as error:
            return error.exit_code, error.stdout or ""

    return container.call(work)


@dataclass
class World:
    """A model and the loop that its calls run on."""

    model: Model
    directory: Path
    loop: asyncio.AbstractEventLoop

    def __call__(self, coroutine: Coroutine[Any, Any, T], timeout: float = 60) -> T:
        return self.loop.run_until_complete(asyncio.wait_for(coroutine, timeout))

    def spec(self, unit: str = "notes/0", **options: Any) -> PodSpec:
        application = unit.replace("/", "-")
        return PodSpec(unit, (self.container(**options),), f"{application}.notes-endpoints.dev.svc.cluster.local")

    def container(self, name: str = "app", volumes: tuple[Mount, ...] = ()) -> ContainerSpec:
        image = self.directory / "image"
        if not image.exists():
            (image / "srv" / "app").mkdir(parents=True)
            (image / "srv" / "index.html").write_text("hello from the pod\n")
        assert PYTHON
        return ContainerSpec(name, Image(image, mounts=PYTHON.mounts(), owners={"srv/app": users.DAEMON}), volumes)

    def start(self, unit: str = "notes/0", **options: Any) -> Pod:
        return self(self.model.start(self.spec(unit, **options)))

    def adopt(self) -> None:
        """Go on as another engine would: with nothing but what is on disk."""
        self.model = Model(self.model.directory, self.model.name, mode=self.model.mode)
        self(self.model.open())

    def exec(self, container: Container, *argv: str, **options: Any) -> tuple[int, str]:
        return self(execute(container, *argv, **options))


def make_world(directory: Path, mode: Mode | None = None) -> World:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return World(Model(directory / "model", "dev", mode=mode), directory, loop)


def open_world(directory: Path, mode: Mode) -> World:
    world = make_world(directory, mode)
    try:
        world(world.model.open())
    except NamespacesError as error:
        world.loop.close()
        pytest.skip(f"this kernel refuses mode {mode.value}: {error}")
    assert world.model.mode is mode
    return world


@pytest.fixture(scope="module", params=MODES, ids=lambda mode: mode.value)
def world(request, tmp_path_factory):
    world = open_world(tmp_path_factory.mktemp(f"world-{request.param.value}"), request.param)
    yield world
    world(world.model.destroy())
    world.loop.close()


@pytest.fixture(scope="module")
def pod(world) -> Pod:
    """A pod that the tests of a module share."""
    return world.start("shared/0")
