"""The real mail catcher: its image and its Pebble layer."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from pathlib import Path

import ops.pebble

from nuages.engine.programs import pythons
from nuages.engine.sandbox.image import Image, Mount
from nuages.engine.service import Console, Context
from nuages.services import driver
from nuages.services.smtp.answer import WEB

VERSION = "1.4.6"
CONTAINER = "mail"
DATA = "/var/lib/mail"
HOME = f"{DATA}/catcher"
"""The server's own folder: the volume itself belongs to the container's root."""

_LIBRARIES = "/opt/aiosmtpd"
_FILES = "/opt/nuages"
_PYTHON = f"{_FILES}/python3"
_READY = ["/bin/bash", f"{_FILES}/ready.sh", str(WEB)]
_START_TIMEOUT = 30.0  # seconds; making a certificate takes one


def image(programs: Mapping[str, Path], directory: Path) -> Image:
    """Return the container's image: aiosmtpd, an interpreter of this machine, and our few files."""
    names = ("start.sh", "ready.sh", "catcher.py", "page.py", "console.py")
    root = driver.write_root(
        __package__ or "",
        directory,
        {name: f"{_FILES}/{name}" for name in names},
        shared={"repl.py": f"{_FILES}/repl.py"},
    )
    python = pythons.find("3.12")
    (root / _PYTHON.lstrip("/")).symlink_to(python.executable)
    return Image(
        root=root,
        mounts=(Mount(programs["aiosmtpd"].parent, _LIBRARIES), *python.mounts()),
        environment={"PATH": driver.SYSTEM_PATH},
    )


def workload(host: str, port: int, security: str) -> driver.Workload:
    """Return what the container's Pebble should run."""
    command = f"/bin/sh {_FILES}/start.sh {HOME} {host} {security}"
    layer: ops.pebble.LayerDict = {
        "summary": "mail catcher",
        "services": {
            CONTAINER: {
                "override": "replace",
                "summary": f"mail catcher on aiosmtpd {VERSION}",
                "command": f"{command} {_PYTHON} -s -B {_FILES}/catcher.py {HOME} {port} {security} {WEB}",
                "startup": "enabled",
                "user": driver.USER,
                "working-dir": "/",
                "environment": {"PYTHONPATH": f"{_LIBRARIES}:{_FILES}", "PYTHONUNBUFFERED": "1"},
                "backoff-limit": "10s",
            }
        },
        "checks": {
            "ready": {
                "override": "replace",
                "level": "ready",
                "period": "5s",
                "threshold": 2,
                "http": {"url": f"http://127.0.0.1:{WEB}/health"},
            }
        },
    }
    return driver.Workload(layer)


async def run(
    context: Context, users: Mapping[str, tuple[str, ...]], *, host: str, port: int, security: str, patient: bool
) -> bool:
    """Have the catcher run with these users (name to passwords) and return whether it answers.

    Raises:
        ServiceError: it does not start, or does not answer in time when `patient`.
        NotReachable: Pebble does not answer.
    """
    known = {name: [hashlib.sha256(word.encode()).hexdigest() for word in words] for name, words in users.items()}

    def work(client: ops.pebble.Client) -> bool:
        client.make_dir(HOME, make_parents=True, permissions=0o700, user=driver.USER, group=driver.USER)
        token(client)
        driver.keep(client, f"{HOME}/users.json", json.dumps(known, sort_keys=True) + "\n")
        change = driver.converge(client, workload(host, port, security))
        return driver.await_server(
            client,
            _READY,
            change,
            server="the mail catcher",
            application=context.application,
            timeout=_START_TIMEOUT if patient else 0,
        )

    return await driver.with_pebble(context, work)


def console(user: str, password: str, port: int, security: str) -> Console:
    """Return how to talk to the catcher as a user."""
    scheme = "smtps" if security == "tls" else "smtp"
    return Console(
        url=f"{scheme}://{user}:{password}@{{address}}",
        port=port,
        argv=(_PYTHON, "-s", "-B", f"{_FILES}/console.py", str(port), security),
        environment={"SMTP_USER": user, "SMTP_PASSWORD": password},
    )


def token(client: ops.pebble.Client) -> str:
    """Return the secret part of the web page's path: made once, kept beside the mails."""
    path = f"{HOME}/token"
    try:
        return client.pull(path).read()
    except ops.pebble.PathError:
        made = secrets.token_urlsafe(24)
        driver.keep(client, path, made)
        return made
