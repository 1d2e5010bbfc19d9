"""The real OpenFGA: its image, its Pebble layer, and the one way to talk to it.

OpenFGA's preshared keys open every store alike. It is made to be used as a library, so our program around it
(nuages/engine/programs/go/openfga) does that, with a key for each store. One server for all relations, then: the ports
and URLs of production, one process whatever the number of applications, and keys that change without a restart.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import ops.pebble

from nuages.engine.programs import pythons
from nuages.engine.sandbox.image import Image, Mount
from nuages.engine.service import Console, Context
from nuages.services import driver

VERSION = "1.22.1"
GRPC = 8081
HTTP = 8080
CONTAINER = "openfga"
DATA = "/var/lib/openfga"

_PROGRAM = "/opt/openfga"
_SERVER = f"{_PROGRAM}/openfga"
_FILES = "/opt/nuages"
_PYTHON = f"{_FILES}/python3"
_HOME = f"{DATA}/server"
"""The server's own folder: the volume itself belongs to the container's root."""
_KEYS = f"{_HOME}/keys.json"
_READY = [_SERVER, "ready", str(GRPC)]
_START_TIMEOUT = 30.0  # seconds


def image(programs: Mapping[str, Path], directory: Path) -> Image:
    """Return the container's image: the program's folder, and an interpreter for the console."""
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
        mounts=(Mount(programs["openfga"].parent, _PROGRAM), *python.mounts()),
        environment={"PATH": f"{_PROGRAM}:{driver.SYSTEM_PATH}"},
    )


def workload() -> driver.Workload:
    """Return what the container's Pebble should run."""
    layer: ops.pebble.LayerDict = {
        "summary": "OpenFGA",
        "services": {
            CONTAINER: {
                "override": "replace",
                "summary": f"OpenFGA {VERSION}",
                "command": f"{_SERVER} serve {_HOME} {GRPC} {HTTP}",
                "startup": "enabled",
                "user": driver.USER,
                "working-dir": "/",
                "environment": {"GOGC": "50"},  # a smaller process for a little more work
                "kill-delay": "10s",
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


def keys(stores: Iterable[tuple[str, Iterable[str]]]) -> str:
    """Return the file of keys: the name of each store, and the hashes of the tokens that open it."""
    opened: dict[str, set[str]] = {}
    for name, tokens in stores:
        opened.setdefault(name, set()).update(hashlib.sha256(token.encode()).hexdigest() for token in tokens)
    return json.dumps({name: sorted(hashes) for name, hashes in sorted(opened.items())})


async def run(context: Context, wanted: str, *, patient: bool) -> dict[str, str] | None:
    """Have the server run with this file of keys, and return the stores' ids by name.

    None when the server does not answer yet; with `patient` it is waited for.

    Raises:
        ServiceError: it does not start, does not answer in time, or refuses the keys.
        NotReachable: Pebble does not answer.
    """

    def work(client: ops.pebble.Client) -> dict[str, str] | None:
        client.make_dir(_HOME, make_parents=True, permissions=0o700, user=driver.USER, group=driver.USER)
        client.push(_KEYS, wanted, permissions=0o600, user=driver.USER, group=driver.USER)
        change = driver.converge(client, workload())
        ready = driver.await_server(
            client,
            _READY,
            change,
            server="OpenFGA",
            application=context.application,
            timeout=_START_TIMEOUT if patient else 0,
        )
        return _apply(client) if ready else None

    return await driver.with_pebble(context, work)


def console(store: str, token: str) -> Console:
    """Return how to ask a store; the token goes into a header, hence not into the URL."""
    return Console(
        f"http://{{address}}/stores/{store}",
        HTTP,
        (_PYTHON, "-s", "-B", f"{_FILES}/console.py", str(HTTP)),
        # As OpenFGA's own command line tool has them.
        {"FGA_STORE_ID": store, "FGA_API_TOKEN": token},
    )


def _apply(client: ops.pebble.Client) -> dict[str, str]:
    try:
        ids: Any = json.loads(driver.run(client, [_SERVER, "apply", _HOME]))
    except driver.CommandFailed as error:
        said = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise driver.ServiceError(f"cannot change stores: {said}") from None
    return cast("dict[str, str]", ids)
