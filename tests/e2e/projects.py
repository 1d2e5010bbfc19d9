"""examples/notes with something added to it, as a developer adds it: pages, packages, integrations."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from tests.e2e.conftest import world_of
from tests.e2e.world import EXAMPLE, World

SETTINGS = "\nimport charm_settings\n\ncharm_settings.update(globals())\n"
"""What `nuages init --settings` appends to the settings."""


def add_charm_settings(folder: Path) -> None:
    """Put the module there that `nuages init --settings` puts beside manage.py."""
    template = resources.files("nuages.build") / "templates" / "charm_settings.py"
    (folder / template.name).write_text(template.read_text())


def endpoint(name: str, interface: str, *, optional: bool = False) -> str:
    """The lines of an endpoint in charmcraft.yaml, whose `requires` stands last in the example."""
    return f"  {name}:\n    interface: {interface}\n    optional: {str(optional).lower()}\n    limit: 1\n"


def append(path: Path, text: str) -> None:
    """Add text at the end of a file."""
    with path.open("a") as file:
        file.write(text)


def own_port() -> int:
    """A free port that nobody asks for by default.

    A model keeps its port over `down`; the usual one another run of these tests on this machine would take meanwhile.
    """
    while True:
        port = random.randrange(20_000, 30_000)  # below those that the kernel gives to clients
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


@contextmanager
def notes_with(
    home: Path,
    *,
    urls: str = "",
    settings: str = "",
    modules: Mapping[str, str] | None = None,
    packages: Sequence[str] = (),
    endpoints: Sequence[str] = (),
) -> Iterator[World]:
    """A world of the example with additions, not yet up.

    Args:
        home: Where the world is made.
        urls: What is appended to the URLs' module.
        settings: What is appended to the settings, which find `charm_settings` beside manage.py then.
        modules: The text of modules beside the URLs, by their names.
        packages: Lines of requirements.txt.
        endpoints: What `endpoint` makes.
    """
    with world_of(EXAMPLE, home) as world:
        world.port = own_port()
        code = world.project / "notes" / "notes"
        append(code / "urls.py", urls)
        for name, text in (modules or {}).items():
            (code / f"{name}.py").write_text(text)
        if settings:
            add_charm_settings(code.parent)
            append(code / "settings.py", settings)
        append(world.project / "requirements.txt", "".join(f"{package}\n" for package in packages))
        append(world.project / "charm" / "charmcraft.yaml", "".join(endpoints))
        yield world
