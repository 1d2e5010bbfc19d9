"""What leaves a model, and what never does: the pure half of the way out."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.engine.sandbox import outward
from nuages.engine.sandbox.outward import Refused, Request, parse


def test_a_request_is_sent_on_as_its_server_expects_it() -> None:
    head = (
        b"GET http://Example.com:8080/a%20b/?c=d#e HTTP/1.1\r\nHost: Example.com:8080\r\n"
        b"Proxy-Authorization: Basic x\r\nConnection: keep-alive\r\nproxy-connection: close\r\nX-Own: 1\r\n\r\n"
    )
    assert parse(head) == Request(
        "example.com",
        8080,
        b"GET /a%20b/?c=d HTTP/1.1\r\nHost: Example.com:8080\r\nX-Own: 1\r\nConnection: close\r\n\r\n",
        tunnel=False,
    )


@pytest.mark.parametrize(
    ("line", "host", "port", "first"),
    [
        (b"GET http://example.com HTTP/1.1", "example.com", 80, b"GET / HTTP/1.1"),
        (b"GET http://example.com?a=//b HTTP/1.1", "example.com", 80, b"GET /?a=//b HTTP/1.1"),
        (b"GET http://u:p@[::1]:81//x HTTP/1.0", "::1", 81, b"GET //x HTTP/1.0"),
        (b"CONNECT example.com:443 HTTP/1.1", "example.com", 443, b""),
        (b"CONNECT [2a00::1]:443 HTTP/1.1", "2a00::1", 443, b""),
    ],
)
def test_hosts_and_paths(line: bytes, host: str, port: int, first: bytes) -> None:
    request = parse(line + b"\r\n\r\n")
    assert (request.host, request.port) == (host, port)
    assert request.first.split(b"\r\n")[0] == first


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"GET / HTTP/1.1",
        b"GET https://example.com/ HTTP/1.1",
        b"GET ftp://example.com/ HTTP/1.1",
        b"GET http:///x HTTP/1.1",
        b"CONNECT example.com HTTP/1.1",
        b"CONNECT example.com:443/x HTTP/1.1",
        b"CONNECT example.com:99999 HTTP/1.1",
        b"GET http://example.com/a b HTTP/1.1",
        b"GET http://ex\xc3\xa4mple.com/ HTTP/1.1",
        b"GET http://[::1/ HTTP/1.1",
    ],
)
def test_other_requests_are_refused(line: bytes) -> None:
    with pytest.raises(Refused):
        parse(line + b"\r\n\r\n")


@given(st.binary())
def test_any_bytes_are_a_request_or_refused(data: bytes) -> None:
    try:
        request = parse(data)
    except Refused:
        return
    assert request.host
    assert 0 < request.port < 65536


@given(st.sampled_from(["http://", "HTTP://", ""]), st.text(max_size=30), st.text(max_size=10))
def test_what_is_sent_on_has_one_request_line(scheme: str, rest: str, header: str) -> None:
    try:
        request = parse(f"GET {scheme}{rest} HTTP/1.1\r\n{header}\r\n\r\n".encode("latin-1", "replace"))
    except Refused:
        return
    line = request.first.split(b"\r\n")[0]
    assert line.startswith(b"GET /")
    assert line.count(b" ") == 2


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::1.1.1.1", "2002:101:101::"]
)
def test_addresses_of_the_internet(address: str) -> None:
    assert outward.public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.77.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "::10.0.0.1",
        "::ffff:0:10.0.0.1",
        "64:ff9b:1::10.0.0.1",
        "fec0::1",
        "192.0.0.8",
        "not an address",
    ],
)
def test_addresses_of_this_machine_and_its_networks(address: str) -> None:
    assert not outward.public(address)


def test_an_own_address_is_known_though_it_were_public() -> None:
    assert outward.ours("127.0.0.1", 80)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("1.1.1.1", 80))
        except OSError:
            pytest.skip("this machine has no way out")
        own = probe.getsockname()[0]
    assert outward.ours(own, 80)
    assert not outward.ours("1.1.1.1", 80)


def test_hosts_are_permitted_by_name_and_port() -> None:
    names = frozenset({"intranet.example", "localhost:8099", "[::1]:80"})
    assert outward.permitted("Intranet.Example.", 443, names)
    assert outward.permitted("localhost", 8099, names)
    assert outward.permitted("::1", 80, names)
    assert not outward.permitted("localhost", 80, names)
    assert not outward.permitted("sub.intranet.example", 443, names)


async def through(tmp_path: Path, far: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]):
    """Return a socket with a tunnel to a server that does `far`."""
    server = await asyncio.start_server(far, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    rules = tmp_path / "rules"
    rules.write_text(f'{{"permitted": ["127.0.0.1:{port}"], "fix": ""}}')
    proxy = await asyncio.start_server(outward.Outward(outward.Rules(rules)).carry, "127.0.0.1", 0, limit=65536)
    client = socket.create_connection(proxy.sockets[0].getsockname())
    client.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode())
    return client


def test_who_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A tunnel whose one side sends for ever and whose other side never reads."""
    monkeypatch.setattr(outward, "_IDLE_TIMEOUT", 0.2)

    async def work() -> None:
        closed = asyncio.Event()

        async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    writer.write(bytes(65536))
                    await writer.drain()
            except OSError:
                closed.set()

        with await through(tmp_path, flood):
            await asyncio.wait_for(closed.wait(), 20)

    asyncio.run(work())


def test_a_download_may_last_longer_than_silence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The client of one says nothing meanwhile."""
    monkeypatch.setattr(outward, "_IDLE_TIMEOUT", 1.0)

    async def work() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while loop.time() < began + 2.5:
                writer.write(b".")
                await writer.drain()
                await asyncio.sleep(0.05)
            writer.write(b"end")
            writer.close()

        with await through(tmp_path, trickle) as client:
            client.setblocking(False)
            got = b""
            while piece := await asyncio.wait_for(loop.sock_recv(client, 65536), 20):
                got += piece
        assert got.endswith(b".end")

    asyncio.run(work())
