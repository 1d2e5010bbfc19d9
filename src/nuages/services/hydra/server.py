"""The real OpenID provider."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import ops.pebble

from nuages.engine.service import Context
from nuages.services import driver
from nuages.services.identity import pod

VERSION = "1.0 (authlib 1.9.9)"
DATA = "/var/lib/hydra"
ADMIN = 4445
"""Hydra's port for introspection, in the model alone."""
PROGRAM = pod.Program(
    container="hydra",
    package="nuages.services.hydra",
    libraries="authlib",
    files=("provider.py", "grants.py", "records.py", "keys.py"),
    home=f"{DATA}/provider",
    port=4444,
    name="OpenID provider",
)


async def run(context: Context, clients: Mapping[str, Any], *, jwt: bool, patient: bool) -> bool:
    """Have the provider run with these clients and return whether it answers."""
    base = await pod.address(context, PROGRAM)
    kind = "jwt" if jwt else "opaque"
    ready = await pod.run(
        context,
        PROGRAM,
        f"provider.py {PROGRAM.home} {base} {PROGRAM.port},{ADMIN} {kind} {context.unit}",
        {"clients.json": json.dumps(clients, sort_keys=True) + "\n"},
        patient=patient,
        after=lambda _: True,
    )
    return bool(ready)


async def rotate_key(context: Context, algorithm: str) -> str:
    """Have the provider sign with a new key from now on and return the key's ID; the ones before still verify."""

    def work(client: ops.pebble.Client) -> str:
        return pod.execute(client, ["keys.py", PROGRAM.home, algorithm]).strip()

    return await driver.with_pebble(context, work)


def internal(context: Context) -> str:
    """Return where the model reaches the administrator's interface."""
    return f"http://{context.application}.{context.model}.svc.cluster.local:{ADMIN}"
