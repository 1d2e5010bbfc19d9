"""The real RabbitMQ: its image, its Pebble layer, and the one way to talk to it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import ops.pebble

from nuages.engine.programs import pythons
from nuages.engine.sandbox.image import Image, Mount
from nuages.engine.service import Console, Context
from nuages.services import driver
from nuages.services.rabbitmq import users
from nuages.services.rabbitmq.users import User

VERSION = "3.10"
PORT = 5672
MANAGEMENT = 15672
CONTAINER = "rabbitmq"
DATA = "/var/lib/rabbitmq"
HOME = f"{DATA}/server"
"""The server's own folder: the volume itself belongs to the container's root."""

_PROGRAM = "/opt/rabbitmq"
_LIBRARIES = "/opt/pika"
_FILES = "/opt/nuages"
_PYTHON = f"{_FILES}/python3"
_READY = ["/bin/bash", "-c", f"</dev/tcp/127.0.0.1/{PORT}"]
"""It listens for clients at the very end of its start, and a connection without a word is not logged."""
_START_TIMEOUT = 90.0  # seconds; three on an idle machine
_PLUGIN = "rabbitmq_management"


def image(programs: Mapping[str, Path], directory: Path) -> Image:
    """Return the container's image: Debian's tree, our few files, links to the plugins that are needed.

    For the console there are an interpreter and an AMQP library.
    """
    names = ("start.sh", "epmd.sh", "call.sh", "environment.sh", "rabbitmq.conf", "nuages_previous.erl", "console.py")
    root = driver.write_root(
        __package__ or "",
        directory,
        {name: f"{_FILES}/{name}" for name in names},
        shared={"repl.py": f"{_FILES}/repl.py"},
    )
    python = pythons.find(pythons.SERVERS)
    (root / _PYTHON.lstrip("/")).symlink_to(python.executable)
    tree = programs["rabbitmq"].parents[4]
    (plugins,) = tree.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*/plugins")
    known = {path.stem: path.parent.parent for path in plugins.glob("*/ebin/*.app")}
    requires = {name: applications((path / "ebin" / f"{name}.app").read_text()) for name, path in known.items()}
    for folder, wanted in (("core", ("rabbit",)), ("plugins", ("rabbit", _PLUGIN))):
        links = root / _FILES.lstrip("/") / folder
        links.mkdir()
        links.chmod(0o755)
        for name in closure(requires, wanted):
            (links / known[name].name).symlink_to(f"{_PROGRAM}/{known[name].relative_to(tree)}")
    mounts = (Mount(tree, _PROGRAM), Mount(programs["pika"].parent, _LIBRARIES), *python.mounts())
    return Image(root=root, mounts=mounts, environment={"PATH": driver.SYSTEM_PATH})


def applications(text: str) -> tuple[str, ...]:
    """Return the applications that an Erlang application needs, by its .app file."""
    found = re.search(r"\{\s*applications\s*,\s*\[([^\]]*)\]", text)
    return tuple(re.findall(r"\w+", found[1])) if found else ()


def closure(requires: Mapping[str, Sequence[str]], wanted: Iterable[str]) -> tuple[str, ...]:
    """Return the wanted applications and all that they need, of those in `requires`; the rest is Erlang's own."""
    found: dict[str, None] = {}
    todo = list(wanted)
    while todo:
        name = todo.pop(0)
        if name in requires and name not in found:
            found[name] = None
            todo += requires[name]
    return tuple(found)


def workload() -> driver.Workload:
    """Return what the container's Pebble should run."""
    common: ops.pebble.ServiceDict = {
        "override": "replace",
        "startup": "enabled",
        "user": driver.USER,
        "working-dir": "/",
        "backoff-limit": "10s",
    }
    layer: ops.pebble.LayerDict = {
        "summary": "RabbitMQ",
        "services": {
            "epmd": {
                **common,
                "summary": "Erlang's name service",
                "command": f"/bin/sh {_FILES}/epmd.sh {HOME}",
            },
            CONTAINER: {
                **common,
                "summary": f"RabbitMQ {VERSION}",
                "command": f"/bin/sh {_FILES}/start.sh {HOME}",
                "after": ["epmd"],
                "requires": ["epmd"],
                "kill-delay": "25s",  # it finishes writing
            },
        },
        "checks": {
            "ready": {
                "override": "replace",
                "level": "ready",
                "period": "5s",
                "threshold": 2,
                "tcp": {"port": PORT, "host": "127.0.0.1"},
            }
        },
    }
    return driver.Workload(layer)


async def run(
    context: Context, wanted: Sequence[User], before: Iterable[tuple[str, str, float]], *, disk: int, patient: bool
) -> bool:
    """Have the broker run with these users and return whether it answers; wait for that when `patient`.

    `before`: names, passwords that still serve beside the present ones, and the second at which each ends.

    Raises:
        ServiceError: it does not start, does not answer in time, or refuses the users.
        NotReachable: Pebble does not answer.
    """
    terms = users.previous(before)

    def work(client: ops.pebble.Client) -> bool:
        client.make_dir(HOME, make_parents=True, permissions=0o700, user=driver.USER, group=driver.USER)
        # Before the broker's table changes: at no instant is there neither.
        driver.keep(client, f"{HOME}/previous", terms)
        change = driver.converge(client, workload())
        ready = driver.await_server(
            client,
            _READY,
            change,
            server="RabbitMQ",
            application=context.application,
            timeout=_START_TIMEOUT if patient else 0,
        )
        if ready:
            existing = users.Existing.parse(call(client, users.QUERY))
            script = users.script(wanted, existing, disk=disk, salt=secrets.token_bytes(4))
            if script:
                _change(client, script)
        return ready

    return await driver.with_pebble(context, work)


def add(client: ops.pebble.Client, user: User) -> None:
    """Make one more user of a broker that answers; all others stay as they are."""
    existing = users.Existing.parse(call(client, users.QUERY))
    script = users.addition(user, existing, salt=secrets.token_bytes(4))
    if script:
        _change(client, script)


def _change(client: ops.pebble.Client, script: str) -> None:
    """Run a script that prints DONE.

    Raises:
        ServiceError: it did not; the message is the broker's own.
    """
    said = call(client, script)
    if said != users.DONE:
        raise driver.ServiceError(f"cannot change RabbitMQ's users: {' '.join(said.split())[:300] or 'no answer'}")


def call(client: ops.pebble.Client, script: str) -> str:
    """Run Erlang in the broker and return what it prints.

    Raises:
        CommandFailed: the broker cannot be reached.
    """
    return driver.run(client, ["/bin/sh", f"{_FILES}/call.sh", HOME], stdin=script)


def console(user: str, password: str, vhost: str) -> Console:
    """Return how to get into a virtual host as a user."""
    return Console(
        f"amqp://{quote(user, safe='')}:{password}@{{address}}/{quote(vhost, safe='')}",
        PORT,
        (_PYTHON, "-s", "-B", f"{_FILES}/console.py", str(PORT), _LIBRARIES),
        {"AMQP_USER": user, "AMQP_PASSWORD": password, "AMQP_VHOST": vhost},
    )


def open_management(client: ops.pebble.Client) -> None:
    """Have the running broker serve its management page, from now on also after a restart."""
    path = f"{HOME}/enabled_plugins"
    driver.keep(client, path, f"[{_PLUGIN}].\n")
    _change(client, users.guarded([f"{{ok, _, _}} = rabbit_plugins:ensure({users.string(path)})"]))
