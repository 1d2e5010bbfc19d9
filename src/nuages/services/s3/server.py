"""The real object store, Versity's S3 gateway on a folder: its image, its Pebble layer, its buckets and accounts."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import ops.pebble

from nuages.engine.programs import pythons
from nuages.engine.sandbox.image import Image, Mount
from nuages.engine.service import Context
from nuages.services import driver, tls
from nuages.services.s3 import transport
from nuages.services.s3.answer import Keys
from nuages.services.s3.transport import Transport

VERSION = "1.8.0"
CONTAINER = "store"
DATA = "/var/lib/s3"
HOME = f"{DATA}/store"
"""The server's own folder: the volume itself belongs to the container's root."""

TLS = f"{DATA}/tls"
AUTHORITIES = f"{TLS}/authorities.pem"
"""Whom a client in the pod trusts."""

_SECURE = "store-tls"
_TRANSPORT = f"{HOME}/transport.json"
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
        shared={"repl.py": f"{_FILES}/repl.py", tls.FILE: tls.SCRIPT},
    )
    python = pythons.find("3.12")
    (root / PYTHON.lstrip("/")).symlink_to(python.executable)
    return Image(
        root=root,
        mounts=(Mount(programs["versitygw"].parent, _PROGRAM), *python.mounts()),
        environment={"PATH": driver.SYSTEM_PATH},
    )


@dataclass(frozen=True)
class Doors:
    """The ports on which it is served: plainly and by TLS, each None where it is not; `tls` says which is told."""

    plain: int | None
    secure: int | None
    tls: bool

    @property
    def port(self) -> int:
        """Return the one that requirers are told."""
        port = self.secure if self.tls else self.plain
        assert port is not None
        return port

    @property
    def scheme(self) -> str:
        """Return how the URL that requirers are told begins."""
        return "https" if self.tls else "http"


def workload(doors: Doors, region: str) -> driver.Workload:
    """Return what the container's Pebble should run: one server for each port, on the same folder."""
    ports = {CONTAINER: (doors.plain, ""), _SECURE: (doors.secure, f" {TLS}")}
    services: dict[str, ops.pebble.ServiceDict] = {
        name: {
            "override": "replace",
            "summary": f"Versity S3 Gateway {VERSION}",
            "command": f"/bin/sh {_FILES}/start.sh {HOME} {_PROGRAM}/versitygw 0.0.0.0:{port} {region}{directory}",
            "startup": "enabled",
            "user": driver.USER,
            "working-dir": "/",
            "environment": {"HOME": HOME},
            "backoff-limit": "10s",
        }
        for name, (port, directory) in ports.items()
        if port
    }
    check: ops.pebble.CheckDict = {"override": "replace", "level": "ready", "period": "5s", "threshold": 2}
    if doors.tls:  # Pebble itself trusts only the authorities of the machine
        check["exec"] = {"command": " ".join(_ready(doors)), "user": driver.USER, "working-dir": "/"}
    else:
        check["http"] = {"url": f"http://127.0.0.1:{doors.port}/health"}
    layer: ops.pebble.LayerDict = {"summary": "object store", "services": services, "checks": {"ready": check}}
    return driver.Workload(layer, gone=[name for name, (port, _) in ports.items() if not port])


def _ready(doors: Doors) -> list[str]:
    return ["/bin/bash", f"{_FILES}/ready.sh", str(doors.port), *([AUTHORITIES] if doors.tls else [])]


async def spoken(context: Context) -> Transport:
    """Return how the store has been spoken to so far."""

    def work(client: ops.pebble.Client) -> Transport:
        try:
            return transport.parse(client.pull(_TRANSPORT).read())
        except ops.pebble.PathError:
            return Transport()  # it has not run yet

    return await driver.with_pebble(context, work)


async def run(
    context: Context,
    accounts: list[Keys],
    buckets: Mapping[str, list[str]],
    *,
    doors: Doors,
    spoken: Transport,
    region: str,
    patient: bool,
) -> bool:
    """Have the store run with these accounts and buckets (name to access keys), and return whether it answers.

    `spoken` is remembered; a certificate that is to be loaded, is.

    Raises:
        ServiceError: it does not start, does not answer in time when `patient`, or refuses a bucket.
        NotReachable: Pebble does not answer.
    """

    def work(client: ops.pebble.Client) -> bool:
        for path in (HOME, f"{HOME}/iam"):
            client.make_dir(path, make_parents=True, permissions=0o700, user=driver.USER, group=driver.USER)
        _control(client)
        driver.keep(client, f"{HOME}/iam/users.json", users(accounts))
        if spoken.tls:
            driver.push(client, AUTHORITIES, _bundle(spoken))
        change = driver.converge(client, workload(doors, region))
        ready = driver.await_server(
            client,
            _ready(doors),
            change,
            server="the object store",
            application=context.application,
            timeout=_START_TIMEOUT if patient else 0,
        )
        if ready and buckets:
            url = f"{doors.scheme}://127.0.0.1:{doors.port}"
            argv = [
                PYTHON,
                "-s",
                "-B",
                f"{_FILES}/control.py",
                HOME,
                url,
                region,
                *([AUTHORITIES] if doors.tls else []),
            ]
            try:
                driver.run(client, argv, stdin=json.dumps(buckets))
            except driver.CommandFailed as error:
                said = " ".join(error.stderr.split())[-300:]
                raise driver.ServiceError(
                    f"cannot make the buckets: {said}", fix=f"nuages logs {context.application}"
                ) from None
        # When the server is ready it takes the signal; before, it would die of it.
        kept = _load(client, spoken) if ready and spoken.settled else spoken
        driver.push(client, _TRANSPORT, kept.text())
        return ready

    return await driver.with_pebble(context, work)


def _load(client: ops.pebble.Client, spoken: Transport) -> Transport:
    """Have the server load its certificate, unless it did already."""
    pem = client.pull(f"{TLS}/certificate.pem", encoding=None).read()
    digest = hashlib.sha256(pem).hexdigest()
    if digest != spoken.loaded:
        client.send_signal("SIGHUP", [_SECURE])
    done = replace(spoken, loaded=digest, signer=spoken.authority)
    driver.push(client, AUTHORITIES, _bundle(done))
    return done


def _bundle(spoken: Transport) -> str:
    return "".join(f"{pem.strip()}\n" for pem in spoken.trusted)


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
