"""The real server, FerretDB with users who have rights: its image, its Pebble layer, and the one way to talk to it.

FerretDB keeps documents in SQLite and has logins, but no rights: who is in may read everything. Our program around it
(nuages/engine/programs/go/ferretdb) adds what MongoDB's role `readWrite` on one database is. One server for all
relations, then: the port and URLs of production, one process whatever the number of applications, and two requirers of
one database share it as they do there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import ops.pebble

from nuages.engine.programs import pythons
from nuages.engine.sandbox.image import Image, Mount
from nuages.engine.service import Console, Context
from nuages.services import driver

VERSION = "1.24.2"
PORT = 27017
CONTAINER = "mongod"
DATA = "/var/lib/mongodb"
NOTE = f"FerretDB {VERSION.rpartition('.')[0]} in place of MongoDB"

_PROGRAM = "/opt/ferretdb"
_SERVER = f"{_PROGRAM}/ferretdb"
_LIBRARIES = "/opt/pymongo"
_FILES = "/opt/nuages"
_PYTHON = f"{_FILES}/python3"
_HOME = f"{DATA}/server"
"""The server's own folder: the volume itself belongs to the container's root."""
_READY = [_SERVER, "ready", str(PORT)]
_START_TIMEOUT = 30.0  # seconds


@dataclass(frozen=True)
class User:
    """A user; without a database it is the administrator."""

    name: str
    password: str
    database: str = ""


def image(programs: Mapping[str, Path], directory: Path) -> Image:
    """Return the container's image: the program's folder, and for the console an interpreter and MongoDB's driver."""
    root = driver.write_root(
        __package__ or "",
        directory,
        {"console.py": f"{_FILES}/console.py"},
        shared={"repl.py": f"{_FILES}/repl.py"},
    )
    python = pythons.find(pythons.SERVERS)
    (root / _PYTHON.lstrip("/")).symlink_to(python.executable)
    return Image(
        root=root,
        mounts=(
            Mount(programs["ferretdb"].parent, _PROGRAM),
            Mount(programs["pymongo"].parent, _LIBRARIES),
            *python.mounts(),
        ),
        environment={"PATH": f"{_PROGRAM}:{driver.SYSTEM_PATH}"},
    )


def workload() -> driver.Workload:
    """Return what the container's Pebble should run."""
    layer: ops.pebble.LayerDict = {
        "summary": "FerretDB",
        "services": {
            CONTAINER: {
                "override": "replace",
                "summary": f"FerretDB {VERSION}",
                "command": f"{_SERVER} serve {_HOME} {PORT}",
                "startup": "enabled",
                "user": driver.USER,
                "working-dir": "/",
                "environment": {"GOGC": "50"},  # a smaller process for a little more work
                "kill-delay": "10s",  # it waits three seconds for its clients
                "backoff-limit": "10s",
            }
        },
        "checks": {
            "ready": {
                "override": "replace",
                "level": "ready",
                "period": "5s",
                "threshold": 2,
                "exec": {"command": " ".join(_READY), "working-dir": "/", "user": driver.USER},
            }
        },
    }
    return driver.Workload(layer, directories={_HOME: 0o700})


async def run(context: Context, users: Iterable[User], *, patient: bool) -> bool:
    """Have the server run with these users and no others; return whether it answers, waiting for it when `patient`.

    Raises:
        ServiceError: it does not start, does not answer in time, or refuses the users.
        NotReachable: Pebble does not answer.
    """
    wanted = json.dumps([asdict(user) for user in users])

    def work(client: ops.pebble.Client) -> bool:
        change = driver.converge(client, workload())
        ready = driver.await_server(
            client,
            _READY,
            change,
            server="FerretDB",
            application=context.application,
            timeout=_START_TIMEOUT if patient else 0,
        )
        if ready:
            _apply(client, wanted)
        return ready

    return await driver.with_pebble(context, work)


def console(user: str, password: str, database: str) -> Console:
    """Return how to get into a database as a user."""
    return Console(
        f"mongodb://{user}:{password}@{{address}}/{database}?authSource=admin&directConnection=true",
        PORT,
        (_PYTHON, "-s", "-B", f"{_FILES}/console.py", str(PORT), _LIBRARIES),
        {"MONGODB_USER": user, "MONGODB_PASSWORD": password, "MONGODB_DATABASE": database},
    )


def _apply(client: ops.pebble.Client, wanted: str) -> None:
    try:
        driver.run(client, [_SERVER, "apply", _HOME], stdin=wanted)
    except driver.CommandFailed as error:
        said = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise driver.ServiceError(f"cannot change users: {said}") from None
