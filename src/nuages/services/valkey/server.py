"""The real Valkey: its image, its Pebble layer, and the one way to talk to it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import ops.pebble

from nuages.engine.programs import pythons
from nuages.engine.sandbox.image import Image, Mount
from nuages.engine.service import Console, Context
from nuages.services import driver
from nuages.services.valkey import users
from nuages.services.valkey.users import User

VERSION = "9.1.2"
PORT = 6379
SENTINEL_PORT = 26379
PRIMARY = "primary"
"""The name under which Sentinel knows the server."""

_PROGRAM = "/opt/valkey"
_FILES = "/opt/nuages"
_PYTHON = f"{_FILES}/python3"
_START_TIMEOUT = 30.0  # seconds
_SETTINGS = {
    "port": str(PORT),
    # All addresses of the pod, whose network is its own.
    "bind": "*",
    "protected-mode": "no",
    "appendonly": "yes",
    # Every write is with the kernel before it is acknowledged, so killing the server loses none. `everysec` keeps
    # writes back while it syncs, for up to two seconds; `always` is forty times slower.
    "appendfsync": "no",
    "save": "''",
    "loglevel": "notice",
}


@dataclass(frozen=True)
class Layout:
    """How an application of ours runs the server: the container's name, its data, and what runs beside it.

    Behind the gate the server has no port, only a socket in its own folder.
    """

    container: str
    data: str
    sentinel: bool = False
    gate: bool = False

    @property
    def home(self) -> str:
        """Return the servers' own folder: the volume itself belongs to the container's root."""
        return f"{self.data}/server"

    @property
    def ports(self) -> tuple[int, ...]:
        """Return the ports of its servers."""
        return (PORT, SENTINEL_PORT) if self.sentinel else (PORT,)

    @property
    def socket(self) -> str:
        """Return where the server listens behind the gate."""
        return f"{self.home}/valkey.socket"

    @property
    def settings(self) -> str:
        """Return the file that the gate reads."""
        return f"{self.home}/gate.json"


def image(programs: Mapping[str, Path], directory: Path) -> Image:
    """Return the container's image: the program's folder, our few files, and an interpreter for the console."""
    names = ("start.sh", "sentinel.sh", "ask.sh", "console.py", "gate.py")
    root = driver.write_root(
        __package__ or "",
        directory,
        {name: f"{_FILES}/{name}" for name in names},
        shared={name: f"{_FILES}/{name}" for name in ("repl.py", "related.py")},
    )
    python = pythons.find("3.12")
    (root / _PYTHON.lstrip("/")).symlink_to(python.executable)
    return Image(
        root=root,
        mounts=(Mount(programs["valkey"].parent, _PROGRAM), *python.mounts()),
        environment={"PATH": f"{_PROGRAM}:{driver.SYSTEM_PATH}"},
    )


def workload(layout: Layout) -> driver.Workload:
    """Return what the container's Pebble should run."""
    behind = {"port": "0", "unixsocket": layout.socket, "unixsocketperm": "700"} if layout.gate else {}
    settings = " ".join(f"--{name} {value}" for name, value in (_SETTINGS | behind).items())
    commands = {layout.container: f"/bin/sh {_FILES}/start.sh {layout.home} {_PROGRAM}/valkey-server {settings}"}
    if layout.sentinel:
        commands["sentinel"] = f"/bin/sh {_FILES}/sentinel.sh {layout.home} {_PROGRAM}/valkey-server"
    if layout.gate:
        commands["gate"] = f"{_PYTHON} -s -S -B {_FILES}/gate.py {PORT} {layout.socket} {layout.settings}"
    layer: ops.pebble.LayerDict = {
        "summary": "Valkey",
        "services": {
            name: {
                "override": "replace",
                "summary": f"Valkey {VERSION}",
                "command": command,
                "startup": "enabled",
                "user": driver.USER,
                "working-dir": "/",
                "kill-delay": "15s",  # it finishes writing
                "backoff-limit": "10s",
            }
            for name, command in commands.items()
        },
        "checks": {
            "ready" if port == PORT else "sentinel": {
                "override": "replace",
                "level": "ready",
                "period": "5s",
                "threshold": 2,
                "exec": {"command": " ".join(_ask(layout, port, "ready")), "working-dir": "/", "user": driver.USER},
            }
            for port in layout.ports
        },
    }
    return driver.Workload(layer)


async def run(
    context: Context,
    layout: Layout,
    members: Iterable[User],
    watchers: Iterable[User] = (),
    *,
    patient: bool,
    gate: Mapping[str, object] | None = None,
) -> bool:
    """Have the server run with these users and return whether it answers; wait for that when `patient`.

    `watchers` are those of Sentinel, `gate` is what the gate is to know.

    Raises:
        ServiceError: it does not start, does not answer in time, or refuses the users.
        NotReachable: Pebble does not answer.
    """
    host = f"{context.unit.replace('/', '-')}.{context.application}-endpoints"
    members, watchers = tuple(members), tuple(watchers)

    def work(client: ops.pebble.Client) -> bool:
        client.make_dir(layout.home, make_parents=True, permissions=0o700, user=driver.USER, group=driver.USER)
        password = _control(client, layout)
        control = User(users.CONTROL, (password,))
        driver.keep(client, f"{layout.home}/users.acl", users.acl((control, *members)))
        if gate is not None:
            driver.keep(client, layout.settings, json.dumps(gate, sort_keys=True) + "\n")
        if layout.sentinel:
            driver.keep(client, f"{layout.home}/sentinel.acl", users.acl((control, *watchers)))
            driver.keep(client, f"{layout.home}/sentinel.base", _sentinel(layout, host, password))
        change = driver.converge(client, workload(layout))
        ready = all(
            driver.await_server(
                client,
                _ask(layout, port, "ready"),
                change,
                server="Valkey",
                application=context.application,
                timeout=_START_TIMEOUT if patient else 0,
            )
            for port in layout.ports
        )
        if ready:
            for port in layout.ports:
                ask(client, layout, "ACL LOAD", port=port)
        return ready

    return await driver.with_pebble(context, work)


def ask(client: ops.pebble.Client, layout: Layout, command: str, *, port: int = PORT) -> None:
    """Send the server a command that it answers with OK, inside the pod.

    Raises:
        ServiceError: Valkey refused it; the message is the server's own.
    """
    answer = driver.run(client, _ask(layout, port), stdin=f"{command}\n").strip()
    if answer != "+OK":
        raise driver.ServiceError(f"cannot change users: Valkey says {answer.lstrip('-')}")


def answers(client: ops.pebble.Client, layout: Layout) -> bool:
    """Tell whether the server answers now."""
    try:
        driver.run(client, _ask(layout, PORT, "ready"))
    except driver.CommandFailed:
        return False
    return True


def console(user: str, password: str) -> Console:
    """Return how to get in as a user, or with neither name nor password where there is none."""
    login = f"{user}:{password}@" if password else ""
    return Console(
        url=f"redis://{login}{{address}}/0",
        port=PORT,
        argv=(_PYTHON, "-s", "-B", f"{_FILES}/console.py", str(PORT)),
        environment={"VALKEY_USER": user, "VALKEY_PASSWORD": password} if password else {},
    )


def _ask(layout: Layout, port: int, *words: str) -> list[str]:
    return ["/bin/bash", f"{_FILES}/ask.sh", layout.home, str(port), *words]


def _control(client: ops.pebble.Client, layout: Layout) -> str:
    """Return our own user's password: made once, kept beside the data, because a hook that fails keeps nothing."""
    path = f"{layout.home}/control"
    try:
        return client.pull(path).read()
    except ops.pebble.PathError:
        password = secrets.token_hex(32)
        driver.keep(client, path, password)
        return password


def _sentinel(layout: Layout, host: str, password: str) -> str:
    """Return Sentinel's configuration; by names, because a new pod has another address."""
    lines = (
        f"port {SENTINEL_PORT}",
        "bind *",
        "protected-mode no",
        f"dir {layout.home}",
        f"aclfile {layout.home}/sentinel.acl",
        "sentinel resolve-hostnames yes",
        "sentinel announce-hostnames yes",
        f"sentinel announce-ip {host}",
        f"sentinel monitor {PRIMARY} {host} {PORT} 1",
        f"sentinel auth-user {PRIMARY} {users.CONTROL}",
        f"sentinel auth-pass {PRIMARY} {password}",
        f"sentinel down-after-milliseconds {PRIMARY} 30000",
    )
    return "".join(f"{line}\n" for line in lines)
