"""The real object store, Versity's S3 gateway on a folder: its image, its Pebble layer, its buckets and accounts."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

import ops.pebble

from nuages.engine.programs import pythons
from nuages.engine.sandbox.image import Image, Mount
from nuages.engine.service import Context
from nuages.services import driver
from nuages.services.s3.answer import Keys

VERSION = "1.8.0"
PORT = 9000
"""The port that it wants: the same in the pod and on the host's loopback, so that one URL is good for both."""
CONTAINER = "store"
DATA = "/var/lib/s3"
HOME = f"{DATA}/store"
"""The server's own folder: the volume itself belongs to the container's root."""

_PROGRAM = "/opt/versitygw"
_FILES = "/opt/nuages"
PYTHON = f"{_FILES}/python3"
CONSOLE = f"{_FILES}/console.py"
_START_TIMEOUT = 30.0  # seconds


def image(programs: Mapping[str, Path], directory: Path) -> Image:
    """Return the container's image: the server, an interpreter of this machine, and our few files."""
    names = ("start.sh", "ready.sh", "s3.py", "control.py", "console.py")
    root = driver.write_root(
        __package__ or "",
        directory,
        {name: f"{_FILES}/{name}" for name in names},
        shared={"repl.py": f"{_FILES}/repl.py"},
    )
    python = pythons.find("3.12")
    (root / PYTHON.lstrip("/")).symlink_to(python.executable)
    return Image(
        root=root,
        mounts=(Mount(programs["versitygw"].parent, _PROGRAM), *python.mounts()),
        environment={"PATH": driver.SYSTEM_PATH},
    )


def workload(port: int, region: str) -> driver.Workload:
    """Return what the container's Pebble should run."""
    layer: ops.pebble.LayerDict = {
        "summary": "object store",
        "services": {
            CONTAINER: {
                "override": "replace",
                "summary": f"Versity S3 Gateway {VERSION}",
                "command": f"/bin/sh {_FILES}/start.sh {HOME} {_PROGRAM}/versitygw 0.0.0.0:{port} {region}",
                "startup": "enabled",
                "user": driver.USER,
                "working-dir": "/",
                "environment": {"HOME": HOME},
                "backoff-limit": "10s",
            }
        },
        "checks": {
            "ready": {
                "override": "replace",
                "level": "ready",
                "period": "5s",
                "threshold": 2,
                "http": {"url": f"http://127.0.0.1:{port}/health"},
            }
        },
    }
    return driver.Workload(layer)


async def run(
    context: Context, accounts: list[Keys], buckets: Mapping[str, list[str]], *, port: int, region: str, patient: bool
) -> bool:
    """Have the store run with these accounts and buckets (name to access keys), and return whether it answers.

    Raises:
        ServiceError: it does not start, does not answer in time when `patient`, or refuses a bucket.
        NotReachable: Pebble does not answer.
    """

    def work(client: ops.pebble.Client) -> bool:
        for path in (HOME, f"{HOME}/iam"):
            client.make_dir(path, make_parents=True, permissions=0o700, user=driver.USER, group=driver.USER)
        _control(client)
        driver.keep(client, f"{HOME}/iam/users.json", users(accounts))
        change = driver.converge(client, workload(port, region))
        ready = driver.await_server(
            client,
            ["/bin/bash", f"{_FILES}/ready.sh", str(port)],
            change,
            server="the object store",
            application=context.application,
            timeout=_START_TIMEOUT if patient else 0,
        )
        if ready and buckets:
            argv = [PYTHON, "-s", "-B", f"{_FILES}/control.py", HOME, str(port), region]
            try:
                driver.run(client, argv, stdin=json.dumps(buckets))
            except driver.CommandFailed as error:
                said = " ".join(error.stderr.split())[-300:]
                raise driver.ServiceError(
                    f"cannot make the buckets: {said}", fix=f"nuages logs {context.application}"
                ) from None
        return ready

    return await driver.with_pebble(context, work)


def users(accounts: list[Keys]) -> str:
    """Return the text of the server's file of accounts, which it reads with each request."""
    known = {
        account.access: {"access": account.access, "secret": account.secret, "role": "user"} for account in accounts
    }
    return json.dumps({"accessAccounts": known}, sort_keys=True) + "\n"


def _control(client: ops.pebble.Client) -> None:
    """Make the administrator's keys once: kept beside the data, because a hook that fails keeps nothing."""
    path = f"{HOME}/control"
    try:
        client.pull(path)
    except ops.pebble.PathError:
        driver.keep(client, path, f"nuages\n{secrets.token_hex(32)}\n")
