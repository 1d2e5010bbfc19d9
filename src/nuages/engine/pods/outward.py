"""The engine's side of a pod's way out: a listener on the pod's own loopback, and the program behind it."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nuages.engine.pods.container import POD_NAMESPACES
from nuages.engine.pods.publishing import interpreter
from nuages.engine.sandbox import outward, process
from nuages.engine.sandbox.errors import SandboxError
from nuages.engine.sandbox.namespaces import tail

if TYPE_CHECKING:
    from nuages.engine.pods.pod import Pod

# A socket belongs to the network namespace in which it was made, whoever holds it: made here, served outside.
_LISTEN = (
    "import socket, sys; "
    'made = socket.create_server(("127.0.0.1", int(sys.argv[2]))); '
    'socket.send_fds(socket.socket(fileno=int(sys.argv[1])), [b"."], [made.fileno()])'
)


def open_way(pod: Pod, port: int, permitted: Sequence[str], fix: str) -> None:
    """Let the pod reach the outside by a proxy on `port` of its own loopback (blocking); again changes the hosts.

    `permitted`: hosts (`name:port` or `name`) that may be reached though they are this machine's own or private; `fix`
    is what permits a `{target}`.

    Raises:
        SandboxError: it cannot be opened.
    """
    rules = pod.directory / "outward.json"
    temporary = rules.with_suffix(".tmp")
    temporary.write_text(json.dumps({"permitted": list(permitted), "fix": fix}))
    temporary.chmod(0o644)
    temporary.replace(rules)
    found = pod.record.outward
    if found is not None and found.alive():
        return
    model, namespaces = pod.model, pod.model.namespaces
    log = pod.directory / "outward.log"
    # A copy, because the engine's own file may be in a private folder.
    program = pod.directory / "outward.py"
    program.write_bytes(Path(outward.__file__).read_bytes())
    program.chmod(0o644)
    with _listener(pod, port, log) as listener:
        argv = [*interpreter(namespaces), "-I", "-S", namespaces.inside(program), str(listener.fileno())]
        # The model's user, processes and files, and the host's network.
        started, _ = namespaces.background(
            [*argv, namespaces.inside(rules)], log=log, namespaces="pm", pass_fds=[listener.fileno()]
        )
    pod.record.outward = started
    model.save()


def _listener(pod: Pod, port: int, log: Path) -> socket.socket:
    namespaces = pod.model.namespaces
    near, far = socket.socketpair()
    with near, far:
        argv = [*interpreter(namespaces), "-I", "-S", "-c", _LISTEN, str(far.fileno()), str(port)]
        enter = namespaces.enter(pod.pause.pid, POD_NAMESPACES)
        result = process.run([*enter, *argv], log=log, pass_fds=[far.fileno()])
        near.settimeout(0)
        try:
            _, descriptors, _, _ = socket.recv_fds(near, 1, 1)
        except BlockingIOError:
            descriptors = []
        if result.code or not descriptors:
            raise SandboxError(f"cannot open a way out of {pod.unit}: {tail(log, 1)}")
        return socket.socket(fileno=descriptors[0])
