"""What the gate before redis-k8s costs: the same commands through it and straight to a second server in the pod."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nuages.services import REGISTRY
from tests.e2e.world import World
from tests.services.fakes import FakeContext
from tests.services.pod import Pod, running, until

DIRECT = 6380
ROUNDS = 7
_SERVER = (
    "mkdir -p /tmp/direct && exec /opt/valkey/valkey-server --port {port} --bind 127.0.0.1 --appendonly yes "
    "--appendfsync no --save '' --dir /tmp/direct --requirepass {password}"
)
_CLIENT = r"""
import json, socket, sys, time
given = json.load(sys.stdin)
connection = socket.create_connection(("127.0.0.1", given["port"]))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
def say(text, length):
    connection.sendall(text)
    while length > 0:
        length -= len(connection.recv(1 << 20))
def rate(text, length, times):
    began = time.perf_counter()
    for _ in range(times):
        say(text, length)
    return times / (time.perf_counter() - began)
say(b"AUTH %s\r\n" % given["password"].encode(), 5)
set_ = b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$100\r\n" + b"x" * 100 + b"\r\n"
rate(set_, 5, 2000)
found = {"one at a time": rate(set_, 5, 10000), "16 at once": 16 * rate(16 * set_, 16 * 5, 3000)}
big = 50_000_000
say(b"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$%d\r\n" % big + b"x" * big + b"\r\n", 5)
found["MB/s of one big value"] = rate(b"GET big\r\n", big + len(str(big)) + 5, 3) * big / 1e6
say(b"DEL big\r\n", 4)
print(json.dumps(found))
"""


def gate(world: World) -> Iterator[str]:
    """Commands a second (SET of 100 bytes, one connection) through the gate of redis-k8s, against none."""
    service = REGISTRY["redis-k8s"]
    with tempfile.TemporaryDirectory(dir="/tmp") as directory, running(service, Path(directory)) as pod:
        context = FakeContext(pod.client, unit="redis-k8s/0", hook="redis-pebble-ready")
        asyncio.run(service.hook(context))
        password = asyncio.run(service.action(context, "get-initial-admin-password", {}))["redis-password"]
        second = _SERVER.format(port=DIRECT, password=password)
        server = pod.client.exec(["/bin/sh", "-c", second])  # it ends with this connection
        until(lambda: _listens(pod), "the second server listens")
        rounds = [{port: _measure(pod, port, password) for port in (DIRECT, 6379)} for _ in range(ROUNDS)]
        server.send_signal("KILL")
    for what in rounds[0][DIRECT]:
        direct, through = (statistics.median(each[port][what] for each in rounds) for port in (DIRECT, 6379))
        ratio = statistics.median(each[6379][what] / each[DIRECT][what] for each in rounds)
        yield f"{what:<24}{through:8.0f}{ratio:8.2f} x without ({direct:.0f})"


def _listens(pod: Pod) -> bool:
    return f":{DIRECT:04X} 00000000:0000 0A" in pod.run("/bin/cat", "/proc/net/tcp")


def _measure(pod: Pod, port: int, password: str) -> dict[str, float]:
    found: dict[str, float] = json.loads(pod.python(_CLIENT, json.dumps({"port": port, "password": password})))
    return found
