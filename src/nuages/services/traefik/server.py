"""The real Traefik: its image and its Pebble layer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ops.pebble

from nuages.engine.sandbox.image import Image, Mount
from nuages.services import driver, tls
from nuages.services.traefik import routes

VERSION = "3.7.15"
PORT, SECURE_PORT = 80, 443
SERVICE = "traefik"

DATA = "/var/lib/traefik"
_PROGRAM = "/opt/traefik"
_HOME = "/opt/nuages"
_PLUGIN = f"{_HOME}/plugins-local/src/nuages/requestid"
_DYNAMIC = "/etc/traefik/dynamic"
TLS = f"{DATA}/tls"
_ARGUMENTS = routes.arguments(PORT, SECURE_PORT, _DYNAMIC)
READY = [f"{_PROGRAM}/traefik", "healthcheck", *_ARGUMENTS]


def image(programs: Mapping[str, Path], directory: Path) -> Image:
    """Return the container's image: the program's folder and our plugin's source."""
    files = {"traefik.yml": f"{_PLUGIN}/.traefik.yml", "requestid.go": f"{_PLUGIN}/requestid.go"}
    return Image(
        root=driver.write_root(__package__ or "", directory, files, shared={tls.FILE: tls.SCRIPT}),
        mounts=(Mount(programs["traefik"].parent, _PROGRAM),),
        environment={"PATH": f"{_PROGRAM}:{driver.SYSTEM_PATH}"},
    )


def workload(document: Mapping[str, Any]) -> driver.Workload:
    """Return what the container's Pebble should run, with these routes."""
    layer: ops.pebble.LayerDict = {
        "summary": "Traefik",
        "services": {
            SERVICE: {
                "override": "replace",
                "summary": f"Traefik {VERSION}",
                "command": " ".join([f"{_PROGRAM}/traefik", *_ARGUMENTS]),
                "startup": "enabled",
                "user": driver.USER,
                "working-dir": _HOME,  # where it looks for plugins-local
                "kill-delay": "15s",  # it lets requests finish for ten
                "backoff-limit": "10s",
            }
        },
        "checks": {
            "ready": {
                "override": "replace",
                "level": "ready",
                "period": "5s",
                "threshold": 2,
                "http": {"url": f"http://127.0.0.1:{routes.PING_PORT}/ping"},
            }
        },
    }
    return driver.Workload(layer, files={f"{_DYNAMIC}/routes.yaml": json.dumps(document, indent=2) + "\n"})
