"""The engine's side of the relay: starting it, and asking it to publish."""

from __future__ import annotations

import asyncio
import functools
import json
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuages.engine.pods.paths import near
from nuages.engine.sandbox import relay
from nuages.engine.sandbox.errors import SandboxError
from nuages.engine.sandbox.namespaces import Namespaces, tail
from nuages.engine.threads import blocking

if TYPE_CHECKING:
    from nuages.engine.pods.model import Model

Published = tuple[str, int]
"""An address and a port."""


class RelayClient:
    """What a model says to its relay; the relay is started when something is published first."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._socket = model.directory / "relay.socket"
        self._log = model.directory / "relay.log"
        self._lock = asyncio.Lock()

    async def publish(self, listener: socket.socket, host: str, port: int) -> None:
        """Hand a listener over (it is closed here) and lead its callers to `host`:`port`."""
        try:
            async with self._lock:
                if not self._alive():
                    await blocking(self._start)
            await blocking(self._ask, {"do": "publish", "host": host, "port": port}, listener)
        finally:
            listener.close()

    async def retarget(self, address: str, listen: int, host: str, port: int) -> None:
        """Lead the callers of a published address and port elsewhere."""
        request = {"do": "retarget", "address": address, "listen": listen, "host": host, "port": port}
        await blocking(self._ask, request)

    async def unpublish(self, port: int) -> None:
        """Close every listener on this port."""
        if self._alive():
            await blocking(self._ask, {"do": "unpublish", "listen": port})

    async def published(self) -> dict[Published, Published]:
        """Return host address and port → where it leads inside."""
        if not self._alive():
            return {}
        answer = await blocking(self._ask, {"do": "list"})
        return {(str(a), int(b)): (str(c), int(d)) for a, b, c, d in answer["published"]}

    def _alive(self) -> bool:
        found = self._model.record.relay
        return found is not None and found.alive()

    def _start(self) -> None:
        namespaces = self._model.namespaces
        # A copy, because the engine's own file may be in a private folder.
        program = self._model.pods_directory / "relay.py"
        program.write_bytes(Path(relay.__file__).read_bytes())
        program.chmod(0o644)
        self._model.write_names()
        self._socket.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as control:
            with near(self._socket) as path:
                control.bind(path)
            self._socket.chmod(0o600)
            control.listen()
            names = f"{namespaces.inside(self._model.pods_directory)}/names.json"
            argv = [*interpreter(namespaces), "-I", "-S", namespaces.inside(program), str(control.fileno()), names]
            started, _ = namespaces.background(argv, log=self._log, pass_fds=[control.fileno()])
        self._model.record.relay = started
        self._model.save()

    def _ask(self, request: Mapping[str, Any], listener: socket.socket | None = None) -> dict[str, Any]:
        try:
            with socket.socket(socket.AF_UNIX) as connection, near(self._socket) as path:
                connection.settimeout(20)
                connection.connect(path)
                descriptors = [listener.fileno()] if listener else []
                socket.send_fds(connection, [json.dumps(request).encode()], descriptors)
                connection.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(functools.partial(connection.recv, 65536), b""))
        except OSError as error:
            raise SandboxError(f"cannot publish a port: the relay does not answer ({error})") from None
        if not answer:
            raise SandboxError(f"cannot publish a port: {tail(self._log)}")
        document: dict[str, Any] = json.loads(answer)
        if "error" in document:
            raise SandboxError(f"cannot publish a port: {document['error']}")
        return document


def interpreter(namespaces: Namespaces) -> list[str]:
    """Return the command with which processes of a model run our own Python."""
    prefix = Path(sys.base_prefix).resolve()
    python = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    if not python.is_relative_to(prefix):
        return [str(python)]
    inside = namespaces.inside(prefix)
    executable = f"{inside}/{python.relative_to(prefix)}"
    if executable == str(python):
        return [executable]
    # It finds a shared libpython by the path it was built for.
    return ["/usr/bin/env", f"LD_LIBRARY_PATH={inside}/lib", executable]
