"""A pod's way out: a real pod, and a server on this machine's loopback that stands for the outside."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from nuages.engine.pods import Pod
from nuages.engine.pods.outward import open_way
from nuages.engine.sandbox import process
from nuages.engine.sandbox.errors import SandboxError
from tests.engine.pods.conftest import PYTHON, World, eventually

PORT = 3129
ASK = r"""
import json, socket, sys
ask = json.load(sys.stdin)
try:
    made = socket.create_connection((ask["host"], ask["port"]), 5)
except OSError as error:
    sys.exit(f"{type(error).__name__}")
made.sendall(ask["first"].encode())
said = b""
if ask["then"]:
    while b"\r\n\r\n" not in said:
        said += made.recv(65536)
    made.sendall(ask["then"].encode())
while data := made.recv(65536):
    said += data
print(said.decode())
"""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        text = f"{self.path} {self.headers['Host']} {len(body)}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture(scope="module")
def outside() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


@pytest.fixture(scope="module")
def way(world: World, outside: int) -> Pod:
    pod = world.start("proxy/0")
    open_way(pod, PORT, [f"localhost:{outside}"], "permit {target}")
    return pod


def ask(world: World, pod: Pod, first: str, *, then: str = "", host: str = "127.0.0.1") -> str:
    assert PYTHON
    container = pod.containers["app"]
    words = {"first": first, "then": then, "host": host, "port": PORT}
    code, said = world.exec(container, str(PYTHON.executable), "-I", "-S", "-c", ASK, stdin=json.dumps(words))
    assert code in (0, 1), said
    return said.strip()


def post(target: str, *, host: str = "x", size: int = 5) -> str:
    return f"POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {size}\r\n\r\n{'y' * size}"


def test_a_request_and_a_tunnel_get_out(world: World, way: Pod, outside: int) -> None:
    said = ask(world, way, post(f"http://localhost:{outside}/a?b", size=300_000))
    assert said.startswith("HTTP/1.1 200")
    assert said.endswith("/a?b x 300000")
    tunnel = f"CONNECT localhost:{outside} HTTP/1.1\r\n\r\n"
    said = ask(world, way, tunnel, then=post("/t", host="y").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1))
    assert said.startswith("HTTP/1.1 200 Connection established")
    assert said.endswith("/t y 5")


def test_this_machine_is_refused_unless_it_is_permitted_by_name(world: World, way: Pod, outside: int) -> None:
    for host in ("127.0.0.1", "127.1", "[::1]", "0.0.0.0", "2130706433", "169.254.169.254", "10.77.0.1"):
        said = ask(world, way, f"CONNECT {host}:{outside} HTTP/1.1\r\n\r\n")
        assert said.startswith("HTTP/1.1 403"), said
        assert f"fix: permit {host}:{outside}" in said
    said = ask(world, way, post("http://localhost:1/"))
    assert said.startswith("HTTP/1.1 403")
    open_way(way, PORT, [f"localhost:{outside}", "127.0.0.1"], "permit {target}")
    assert ask(world, way, post(f"http://127.0.0.1:{outside}/")).startswith("HTTP/1.1 200")
    open_way(way, PORT, [f"localhost:{outside}"], "permit {target}")
    assert ask(world, way, post(f"http://127.0.0.1:{outside}/")).startswith("HTTP/1.1 403")


def test_what_cannot_be_reached_is_told(world: World, way: Pod) -> None:
    assert "502" in ask(world, way, post("http://no-such-host.invalid/"))
    assert "400" in ask(world, way, "GET / HTTP/1.1\r\n\r\n")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    open_way(way, PORT, [f"localhost:{port}"], "")
    assert "502" in ask(world, way, post(f"http://localhost:{port}/"))


def test_a_head_without_end_is_cut(world: World, way: Pod) -> None:
    said = ask(world, way, "GET http://x/ HTTP/1.1\r\nX: " + "y" * 200_000)
    assert said == "" or "ConnectionResetError" in said


def test_no_other_pod_and_nobody_on_the_host_can_use_it(world: World, way: Pod) -> None:
    other = world.start("other/0")
    for host in ("127.0.0.1", way.address):
        assert ask(world, other, "GET / HTTP/1.1\r\n\r\n", host=host) == "ConnectionRefusedError"
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", PORT), 2):
        pass


def test_it_has_no_rights_and_the_hosts_network(world: World, way: Pod) -> None:
    found = way.record.outward
    assert found
    status = Path(f"/proc/{found.pid}/status").read_text()
    uid = int(status.split("Uid:")[1].split()[0])
    assert uid == world.model.namespaces.users.root
    assert Path(f"/proc/{found.pid}/ns/net").readlink() == Path("/proc/self/ns/net").readlink()
    assert Path(f"/proc/{found.pid}/ns/user").readlink() != Path("/proc/self/ns/user").readlink()


def test_it_outlives_the_engine_is_made_again_when_killed_and_ends_with_its_pod(
    world: World, way: Pod, outside: int
) -> None:
    found = way.record.outward
    assert found
    world.adopt()
    pod = world.model.pod("proxy/0")
    assert pod
    open_way(pod, PORT, [f"localhost:{outside}"], "")
    assert pod.record.outward == found
    assert ask(world, pod, post(f"http://localhost:{outside}/")).startswith("HTTP/1.1 200")
    found.kill()
    assert ask(world, pod, "x") == "ConnectionRefusedError"
    open_way(pod, PORT, [f"localhost:{outside}"], "")
    made = pod.record.outward
    assert made
    assert made != found
    assert ask(world, pod, post(f"http://localhost:{outside}/")).startswith("HTTP/1.1 200")
    world(world.model.stop("proxy/0"))
    eventually(lambda: process.start_time(made.pid) != made.start)


def test_a_port_that_is_taken_is_an_error(world: World) -> None:
    pod = world.start("taken/0")
    open_way(pod, PORT, [], "")
    made = pod.record.outward
    assert made
    pod.record.outward = None
    with pytest.raises(SandboxError, match=r"cannot open a way out of taken/0: .*in use"):
        open_way(pod, PORT, [], "")
    made.kill()
