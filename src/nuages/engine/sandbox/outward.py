"""The way out of a model for one pod: a program of its own in the host's network, with the standard library only.

It takes requests on a listener of the pod's own loopback (made there and handed over, so that nobody else can reach
it) and connects outward for them: HTTP as a proxy gets it, and CONNECT. It has no rights on the host: its user is the
model's. This machine's own addresses and private networks are refused, whatever name leads there, unless the host is
permitted by name. It outlives the daemon and dies with the pod. Start: `python3 -I -S outward.py LISTENER_FD FILE`,
where FILE is JSON {"permitted": ["host:port", "host"], "fix": text with {target}}, read again whenever it has changed.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

_CHUNK = 65536
"""Bytes; also the longest head of a request."""
_CONNECTIONS = 256
_HEAD_TIMEOUT = 30.0
_CONNECT_TIMEOUT = 10.0
_IDLE_TIMEOUT = 600.0
_ADDRESSES = 4
"""How many addresses of a name are tried."""
_HOP = (b"connection", b"proxy-connection", b"proxy-authorization", b"keep-alive")
"""Headers that are between the proxy and us."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_UNICAST = ipaddress.ip_network("2000::/3")
"""All that has been given out of IPv6; outside are site-local addresses, and IPv4 ones in disguise."""
_ASSIGNMENTS = ipaddress.ip_network("192.0.0.0/24")
"""IETF's own; Python takes parts of it for global ones."""


class Refused(Exception):
    """An answer other than the server's: a status line and a text."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(text)
        self.status = status


class Request(NamedTuple):
    """Where a request wants to go, and what to send there first."""

    host: str
    port: int
    first: bytes
    """Nothing for CONNECT."""
    tunnel: bool


def parse(head: bytes) -> Request:
    """Return what the head of a request to a proxy asks for.

    Raises:
        Refused: it is none.
    """
    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    try:
        method, target, version = lines[0].decode("ascii").split(" ")
        tunnel = method == "CONNECT"
        url = urlsplit(f"//{target}" if tunnel else target)
        port = url.port if tunnel else url.port or 80
    except ValueError:
        raise Refused("400 Bad Request", "cannot read the request") from None
    if not url.hostname or not port or (url.path if tunnel else url.scheme.lower() != "http"):
        raise Refused("400 Bad Request", "cannot read the request: it names no host, or is for another scheme")
    if tunnel:
        return Request(url.hostname, port, b"", tunnel)
    path = url._replace(scheme="", netloc="", fragment="").geturl() or "/"
    path = path if path.startswith("/") else f"/{path}"
    kept = [line for line in lines[1:] if line.partition(b":")[0].strip().lower() not in _HOP]
    first = [f"{method} {path} {version}".encode("ascii"), *kept, b"Connection: close", b"", b""]
    return Request(url.hostname, port, b"\r\n".join(first), tunnel)


def permitted(host: str, port: int, names: Collection[str]) -> bool:
    """Tell whether a host is permitted by name, whatever its addresses are."""
    host = host.lower().removesuffix(".")
    return host in names or f"{host}:{port}" in names or f"[{host}]:{port}" in names


def public(text: str) -> bool:
    """Tell whether an address is of the internet, and not of this machine, its networks, or a way round to them."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address.teredo:
            return False
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return public(str(inner))
        if address not in _UNICAST:
            return False
    return address not in _ASSIGNMENTS and address.is_global and not address.is_multicast


def ours(address: str, port: int) -> bool:
    """Tell whether a public address is this machine's own: what is sent there would come from the same."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, port))  # a datagram socket only looks up the way; nothing is sent
        except OSError:
            return False  # there is no way: connecting will say so
        return probe.getsockname()[0] == address


class Rules:
    """What the engine last wrote of hosts that are permitted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = (0, 0)
        self.names: frozenset[str] = frozenset()
        self._fix = ""

    def read(self) -> None:
        """Read the file when it is another than before."""
        try:
            info = self._path.stat()
            if (info.st_mtime_ns, info.st_ino) != self._stamp:
                document: dict[str, Any] = json.loads(self._path.read_text())
                self.names = frozenset(str(name).lower() for name in document["permitted"])
                self._fix = str(document["fix"])
                self._stamp = (info.st_mtime_ns, info.st_ino)
        except (OSError, ValueError, KeyError) as error:
            print(f"cannot read the hosts: {error}", file=sys.stderr, flush=True)  # noqa: T201  our log

    def fix(self, target: str) -> str:
        """Return what permits a target."""
        return self._fix.replace("{target}", target)


class Outward:
    """Requests under way."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._open = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection: one request, or one tunnel."""
        self._open += 1
        try:
            await self._serve(reader, writer)
        except Refused as error:
            body = f"{error}\n".encode()
            head = f"HTTP/1.1 {error.status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
            writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
        except (OSError, EOFError, asyncio.LimitOverrunError, asyncio.TimeoutError):
            pass  # the proxy has gone, or said nothing that ends
        finally:
            self._open -= 1
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._open > _CONNECTIONS:
            raise Refused("503 Service Unavailable", f"cannot connect: {_CONNECTIONS} connections are open")
        request = parse(await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_TIMEOUT))
        far_reader, far_writer = await self._connect(request.host, request.port)
        try:
            if request.tunnel:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            far_writer.write(request.first)
            traffic = Traffic()
            up = asyncio.ensure_future(_pump(reader, far_writer, traffic))
            down = asyncio.ensure_future(_pump(far_reader, writer, traffic))
            try:
                # The server has the last word of a request; of a tunnel either side has its own.
                await traffic.until(asyncio.gather(up, down) if request.tunnel else down)
            except asyncio.TimeoutError:
                for one in (writer, far_writer):
                    one.transport.abort()  # closing would wait until somebody takes what was not sent yet
                raise
            finally:
                up.cancel()
                down.cancel()
        finally:
            far_writer.close()

    async def _connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        loop = asyncio.get_running_loop()
        try:
            looking = loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found = await asyncio.wait_for(looking, _CONNECT_TIMEOUT)
        except (OSError, UnicodeError, asyncio.TimeoutError) as error:
            raise Refused("502 Bad Gateway", f"cannot reach {target}: {_reason(error)}") from None
        addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
        self._rules.read()
        if not permitted(host, port, self._rules.names):
            allowed = [address for address in addresses if public(address) and not ours(address, port)]
            if not allowed:
                raise Refused(
                    "403 Forbidden",
                    f"cannot reach {target}: {', '.join(addresses[:_ADDRESSES])} is this machine's own or a private "
                    f"address\nfix: {self._rules.fix(target)}",
                )
            addresses = allowed
        reason = ""
        for address in addresses[:_ADDRESSES]:
            try:
                # The address that was looked at, not the name: it may lead elsewhere by now.
                opening = asyncio.open_connection(address, port, limit=_CHUNK)
                return await asyncio.wait_for(opening, _CONNECT_TIMEOUT)
            except (OSError, asyncio.TimeoutError) as error:
                reason = _reason(error)
        raise Refused("502 Bad Gateway", f"cannot reach {target}: {reason}")


def _reason(error: BaseException) -> str:
    if isinstance(error, asyncio.TimeoutError):
        return f"no answer after {_CONNECT_TIMEOUT:.0f} s"
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or "it cannot be connected"


class Traffic:
    """When something went through a connection last, in either direction: a download may last for hours."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()

    def moved(self) -> None:
        """Note that something went through."""
        self._last = self._loop.time()

    async def until(self, end: asyncio.Future[Any]) -> None:
        """Return at the end of the connection; raise asyncio.TimeoutError when it is idle for too long."""
        while not end.done():
            left = self._last + _IDLE_TIMEOUT - self._loop.time()
            if left <= 0:
                raise asyncio.TimeoutError
            await asyncio.wait({end}, timeout=left)
        end.result()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, traffic: Traffic) -> None:
    """Carry bytes until the sender is done, then say so to the receiver (who may still answer)."""
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
            traffic.moved()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.transport.abort()  # a reset on one side is a reset on the other


async def _main(listener: socket.socket, rules: Path) -> None:
    listener.setblocking(False)
    server = await asyncio.start_server(Outward(Rules(rules)).carry, sock=listener, limit=_CHUNK)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2])))
