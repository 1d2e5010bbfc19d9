"""The container of an identity provider: our Python program on a tree of wheels, and the address that it has.

The address is one for everybody: `http://APPLICATION.localhost:PORT`. For a browser, names under `localhost` are the
machine it runs on (RFC 6761, 6.3), and there the port is published; in the model the name is the pod's own, and the
provider listens on that same port. So an issuer or entity ID is one text, whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TypeVar

import ops.pebble

from nuages.engine.programs import pythons
from nuages.engine.sandbox.image import Image, Mount
from nuages.engine.service import Context
from nuages.services import driver
from nuages.services.identity import users

T = TypeVar("T")

ALIASES = ("{application}.localhost",)
FILES = "/opt/nuages"
PYTHON = f"{FILES}/python3"
_LIBRARIES = "/opt/libraries"
_SHARED = ("web.py", "pages.py", "people.py", "ready.sh")
_START_TIMEOUT = 30.0
PUBLISHED = "sign-in"


@dataclass(frozen=True)
class Program:
    """What one provider's container is."""

    container: str
    package: str
    """Whose `files` go in, beside those that all have."""
    libraries: str
    """A program of the table: the tree of wheels."""
    files: tuple[str, ...]
    home: str
    """The server's own folder: the volume itself belongs to the container's root."""
    port: int
    name: str
    """For people."""


async def address(context: Context, program: Program) -> str:
    """Publish the provider's port on this machine and return its address, the same one every time."""
    port = await context.publish(PUBLISHED, program.port, preferred=program.port)
    return f"http://{context.application}.localhost" + (f":{port}" if port != 80 else "")


def image(program: Program, programs: Mapping[str, Path], directory: Path) -> Image:
    """Return the container's image: the wheels, the interpreter they are for, and our few files."""
    root = driver.write_root(program.package, directory, {name: f"{FILES}/{name}" for name in program.files})
    shared = resources.files("nuages.services.identity") / "files"
    for name in _SHARED:
        target = root / FILES.lstrip("/") / name
        target.write_text((shared / name).read_text())
        target.chmod(0o644)
    libraries = programs[program.libraries].parent
    python = pythons.find(libraries.name.rpartition("-py")[2])
    (root / PYTHON.lstrip("/")).symlink_to(python.executable)
    return Image(
        root=root,
        mounts=(Mount(libraries, _LIBRARIES), *python.mounts()),
        environment={"PATH": driver.SYSTEM_PATH},
    )


def workload(program: Program, command: str) -> driver.Workload:
    """Return what the container's Pebble should run: `command` is a program of ours and its arguments."""
    layer: ops.pebble.LayerDict = {
        "summary": program.name,
        "services": {
            program.container: {
                "override": "replace",
                "summary": program.name,
                "command": f"{PYTHON} -s -B {FILES}/{command}",
                "startup": "enabled",
                "user": driver.USER,
                "working-dir": "/",
                "environment": environment(),
                "backoff-limit": "10s",
            }
        },
        "checks": {
            "ready": {
                "override": "replace",
                "level": "ready",
                "period": "5s",
                "threshold": 2,
                "http": {"url": f"http://127.0.0.1:{program.port}/health"},
            }
        },
    }
    return driver.Workload(layer)


def environment() -> dict[str, str]:
    """Return what our programs need to find each other and the wheels."""
    return {
        "PYTHONPATH": f"{_LIBRARIES}:{FILES}",
        "PYTHONUNBUFFERED": "1",
        # authlib takes http for an attack on any host but localhost itself; this is on one machine.
        "AUTHLIB_INSECURE_TRANSPORT": "1",
    }


async def run(
    context: Context,
    program: Program,
    command: str,
    files: Mapping[str, str],
    *,
    patient: bool,
    after: Callable[[ops.pebble.Client], T],
) -> T | None:
    """Have the provider run with these files in its home; return what `after` says, None while it does not answer.

    Raises:
        ServiceError: it does not start, or does not answer in time when `patient`.
        NotReachable: Pebble does not answer.
    """
    told = {**files, "users.json": users.document(users.read(context))}

    def work(client: ops.pebble.Client) -> T | None:
        client.make_dir(program.home, make_parents=True, permissions=0o700, user=driver.USER, group=driver.USER)
        for name, text in told.items():
            driver.keep(client, f"{program.home}/{name}", text)
        change = driver.converge(client, workload(program, command))
        ready = driver.await_server(
            client,
            ["/bin/bash", f"{FILES}/ready.sh", str(program.port)],
            change,
            server=f"the {program.name}",
            application=context.application,
            timeout=_START_TIMEOUT if patient else 0,
        )
        return after(client) if ready else None

    return await driver.with_pebble(context, work)


def execute(client: ops.pebble.Client, argv: list[str], *, stdin: str = "") -> str:
    """Run a program of ours in the container and return what it prints.

    Raises:
        CommandFailed: it exited with another code than 0.
    """
    program, *arguments = argv
    variables = [f"{name}={value}" for name, value in environment().items()]
    return driver.run(
        client, ["/usr/bin/env", *variables, PYTHON, "-s", "-B", f"{FILES}/{program}", *arguments], stdin=stdin
    )
