"""The log store: its image, its Pebble layer, and its settings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ops.pebble

from nuages.engine.programs import pythons
from nuages.engine.sandbox.image import Image
from nuages.engine.service import Context
from nuages.services import driver

VERSION = "1.0"
PORT = 3100
CONTAINER = "loki"
DATA = "/loki"
HOME = f"{DATA}/store"
"""The server's own folder: the volume itself belongs to the container's root."""
USER = "admin"

_FILES = "/opt/nuages"
_PYTHON = f"{_FILES}/python3"
_MODULES = sorted(path.name for path in (Path(__file__).parent / "files").glob("*.py"))
_READY = ["/bin/bash", f"{_FILES}/ready.sh", str(PORT)]
_START_TIMEOUT = 30.0  # seconds


@dataclass(frozen=True)
class Settings:
    """What the options say: days (0: for ever), bytes, bytes a second, bytes at once."""

    days: int
    size: int
    rate: int
    burst: int


def image(programs: Mapping[str, Path], directory: Path) -> Image:
    """Return the container's image: an interpreter of this machine and our own files."""
    names = {name: f"{_FILES}/logs/{name}" for name in _MODULES} | {"ready.sh": f"{_FILES}/ready.sh"}
    shared = {"related.py": f"{_FILES}/related.py"}
    root = driver.write_root(__package__ or "", directory, names, shared=shared)
    python = pythons.find("3.12")
    (root / _PYTHON.lstrip("/")).symlink_to(python.executable)
    return Image(root=root, mounts=python.mounts(), environment={"PATH": driver.SYSTEM_PATH})


def workload() -> driver.Workload:
    """Return what the container's Pebble should run."""
    layer: ops.pebble.LayerDict = {
        "summary": "log store",
        "services": {
            CONTAINER: {
                "override": "replace",
                "summary": "log store: a part of Loki's API",
                "command": f"{_PYTHON} -s -B -m logs {HOME} {PORT} {VERSION}",
                "startup": "enabled",
                "user": driver.USER,
                "working-dir": "/",
                "environment": {"PYTHONPATH": _FILES, "PYTHONUNBUFFERED": "1"},
                "backoff-limit": "10s",
                # A regular expression can take for ever, and nothing else is answered meanwhile.
                "on-check-failure": {"ready": "restart"},
            }
        },
        "checks": {
            "ready": {
                "override": "replace",
                "level": "ready",
                "period": "5s",
                "threshold": 4,
                "http": {"url": f"http://127.0.0.1:{PORT}/ready"},
            }
        },
    }
    return driver.Workload(layer, {HOME: 0o700})


async def run(
    context: Context,
    settings: Settings,
    password: str,
    groups: Sequence[Mapping[str, Any]],
    applications: Iterable[str],
    *,
    patient: bool,
) -> bool:
    """Have the store run with these settings and rules, and return whether it answers.

    `applications` may push without a login.

    Raises:
        ServiceError: it does not start, or does not answer in time when `patient`.
        NotReachable: Pebble does not answer.
    """
    known = {
        "user": USER,
        "password": hashlib.sha256(password.encode()).hexdigest(),
        "days": settings.days,
        "size": settings.size,
        "rate": settings.rate,
        "burst": settings.burst,
        "applications": sorted(set(applications)),
    }

    def work(client: ops.pebble.Client) -> bool:
        client.make_dir(HOME, make_parents=True, permissions=0o700, user=driver.USER, group=driver.USER)
        driver.keep(client, f"{HOME}/settings.json", json.dumps(known, sort_keys=True) + "\n")
        driver.keep(client, f"{HOME}/rules.json", json.dumps({"groups": list(groups)}, sort_keys=True) + "\n")
        change = driver.converge(client, workload())
        return driver.await_server(
            client,
            _READY,
            change,
            server="the log store",
            application=context.application,
            timeout=_START_TIMEOUT if patient else 0,
        )

    return await driver.with_pebble(context, work)
