"""The real MariaDB: its image, its Pebble layer, and the one way to talk to it as administrator."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import ops.pebble

from nuages.engine.sandbox.image import Image, Mount
from nuages.services import driver

VERSION = "10.11"
"""Debian 12's; another release, or the jar, brings another. The server says at run time which it is."""
PORT = 3306
CONTAINER = "mysql"
SERVICE = "mysqld"
DATA = "/var/lib/mysql"

_TREE = "/opt/mariadb"
_FILES = "/opt/nuages"
_HOME = f"{DATA}/server"
_SCRIPTS = ("start.sh", "client.sh", "ready.sh")
SOCKET = "/tmp/mysqld.sock"  # noqa: S108  # the pod's own
CLIENT = ("/bin/sh", f"{_FILES}/client.sh")
READY = ("/bin/sh", f"{_FILES}/ready.sh")

# As MySQL 8.0 has it by default, where MariaDB's own default is another.
_AS_MYSQL = {
    "character-set-server": "utf8mb4",
    # utf8mb4_0900_ai_ci is not there. This one orders by an older table, but like it tells neither case nor accents
    # apart, and does not ignore blanks at the end.
    "collation-server": "utf8mb4_unicode_520_nopad_ci",
    "sql-mode": "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION",
    "local-infile": "0",
    "default-time-zone": "+00:00",
}
_SETTINGS = {
    "socket": SOCKET,
    "port": str(PORT),
    "bind-address": "*",
    "skip-name-resolve": "1",
    "ssl": "0",  # else 11.4 makes itself a key first
    "innodb-buffer-pool-size": "32M",
    "innodb-log-file-size": "16M",
    # Every commit is with the kernel before it is acknowledged, so killing the server loses none.
    "innodb-flush-log-at-trx-commit": "2",
    "innodb-use-native-aio": "0",  # the kernel's limits on it are the whole machine's
    "aria-pagecache-buffer-size": "8M",
    "key-buffer-size": "1M",
    "feedback": "OFF",
    **_AS_MYSQL,
}


def image(programs: Mapping[str, Path], directory: Path) -> Image:
    """Return the container's image: the tree of packages (or of the jar) and our few files."""
    server = programs["mariadb"]
    root = driver.write_root(__package__ or "", directory, {name: f"{_FILES}/{name}" for name in _SCRIPTS})
    tree, text = _program(server)
    path = root / _FILES.lstrip("/") / "program.sh"
    path.write_text(text)
    path.chmod(0o644)
    return Image(root=root, mounts=(Mount(tree, _TREE),), environment={"PATH": driver.SYSTEM_PATH})


def _program(server: Path) -> tuple[Path, str]:
    """Return the tree that `server` is in, and where its parts are in the container, for the scripts."""
    packaged = server.parent.name == "sbin"  # usr/sbin in Debian's packages, bin in the jar
    tree = server.parents[2] if packaged else server.parents[1]
    base = f"{_TREE}/usr" if packaged else _TREE
    libraries = [*tree.glob("usr/lib/*-gnu*"), *tree.glob("lib/*-gnu*"), *tree.glob("libs")]
    words = {
        "SERVER": f"{_TREE}/{server.relative_to(tree)}",
        "CLIENT": f"{base}/bin/mariadb",
        "BASE": base,
        "SHARE": f"{base}/share/mysql" if packaged else f"{base}/share",
        "LIBRARIES": ":".join(sorted(f"{_TREE}/{path.relative_to(tree)}" for path in libraries)),
    }
    return tree, "".join(f"{name}={value}\n" for name, value in words.items())


def workload(max_connections: int | None = None) -> driver.Workload:
    """Return what the container's Pebble should run."""
    settings = _SETTINGS | ({"max-connections": str(max_connections)} if max_connections else {})
    words = " ".join(f"--{name}={value}" for name, value in settings.items())
    layer: ops.pebble.LayerDict = {
        "summary": "MariaDB",
        "services": {
            SERVICE: {
                "override": "replace",
                "summary": "MariaDB",
                "command": f"/bin/sh {_FILES}/start.sh {_HOME} {words}",
                "startup": "enabled",
                "user": driver.USER,
                "working-dir": "/",
                "kill-delay": "30s",  # it writes what is in its buffers
                "backoff-limit": "10s",
            }
        },
        "checks": {
            "ready": {
                "override": "replace",
                "level": "ready",
                "period": "5s",
                "threshold": 2,
                "exec": {"command": " ".join(READY), "working-dir": "/", "user": driver.USER},
            }
        },
    }
    return driver.Workload(layer, directories={_HOME: 0o700})


def sql(client: ops.pebble.Client, script: str) -> str:
    """Run a script as administrator, inside the pod, and return what it printed: columns with tabs between.

    Raises:
        ServiceError: MariaDB refused a statement; the message is the server's own, never the statement.
    """
    try:
        return driver.run(client, CLIENT, stdin=script)
    except driver.CommandFailed as error:
        said = next((line for line in error.stderr.splitlines() if line.startswith("ERROR ")), "the client failed")
        raise driver.ServiceError(f"cannot change users and databases: {_without_text(said)}") from None


def _without_text(said: str) -> str:
    """Return the server's message without the piece of the statement that a syntax error quotes."""
    return re.sub(r" near '.*", "", said)
