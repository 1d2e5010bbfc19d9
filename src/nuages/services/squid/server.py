"""The real Squid: its image and its Pebble layer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import ops.pebble

from nuages.engine.sandbox.image import Image, Mount
from nuages.engine.service import Context
from nuages.services import driver

VERSION = "5.7"
CONTAINER = "squid"
OUTWARD = 3129
"""The port of the pod's loopback from which Squid gets out; squid.conf has it too."""

_HOME = "/var/lib/squid"
_PROGRAM = "/opt/squid"
_FILES = "/opt/nuages"
_START_TIMEOUT = 30.0  # seconds; a tenth of one on an idle machine


def image(programs: Mapping[str, Path], directory: Path) -> Image:
    """Return the container's image: Debian's tree and our few files."""
    names = ("start.sh", "auth.sh", "reach.sh", "squid.conf")
    return Image(
        root=driver.write_root(__package__ or "", directory, {name: f"{_FILES}/{name}" for name in names}),
        mounts=(Mount(programs["squid"].parents[2], _PROGRAM),),
        environment={"PATH": driver.SYSTEM_PATH},
    )


def workload(port: int) -> driver.Workload:
    """Return what the container's Pebble should run."""
    layer: ops.pebble.LayerDict = {
        "summary": "Squid",
        "services": {
            CONTAINER: {
                "override": "replace",
                "summary": f"Squid {VERSION}",
                "command": f"/bin/sh {_FILES}/start.sh {_HOME} {port}",
                "startup": "enabled",
                "user": driver.USER,
                "working-dir": "/",
                "backoff-limit": "10s",
            }
        },
        "checks": {
            name: {
                "override": "replace",
                "level": "ready",
                "period": "5s",
                "threshold": 2,
                "tcp": {"port": number, "host": "127.0.0.1"},
            }
            for name, number in (("ready", port), ("outward", OUTWARD))
        },
    }
    return driver.Workload(layer)


async def run(context: Context, users: str, rules: str, *, port: int, patient: bool) -> bool:
    """Have Squid run with these users and rules and return whether it answers; wait for that when `patient`.

    Raises:
        ServiceError: it does not start, or does not answer in time when `patient`.
        NotReachable: Pebble does not answer.
    """

    def work(client: ops.pebble.Client) -> bool:
        client.make_dir(_HOME, make_parents=True, permissions=0o700, user=driver.USER, group=driver.USER)
        driver.keep(client, f"{_HOME}/users", users)
        driver.keep(client, f"{_HOME}/rules", rules)
        change = driver.converge(client, workload(port))
        return driver.await_server(
            client,
            ["/bin/bash", "-c", f"</dev/tcp/127.0.0.1/{port}"],
            change,
            server="Squid",
            application=context.application,
            timeout=_START_TIMEOUT if patient else 0,
        )

    return await driver.with_pebble(context, work)
