"""Ends TLS in front of PostgreSQL, whose build here has none.

A client of PostgreSQL asks for TLS in the open, by eight bytes (the protocol's SSLRequest), and goes on in the clear
when it does not ask: both pass here. The certificate is read anew for each connection: a renewed one is in force.

Arguments: address to listen on, port there and of PostgreSQL on 127.0.0.1, folder with certificate.pem and key.pem.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
import sys
from typing import cast

SSL_REQUEST = struct.pack("!II", 8, 80877103)
GSS_REQUEST = struct.pack("!II", 8, 80877104)


class Side(asyncio.Protocol):
    """One side of a connection: what arrives goes out on the other side, as fast as that takes it."""

    other: Side

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write to."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass on."""
        if self.other.transport is not None:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        """Let the other side wait: this one's buffer is full."""
        if self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Let the other side go on."""
        if self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other side too, when it has sent what it has."""
        if self.other.transport is not None:
            self.other.transport.close()


class Client(Side):
    """The client's side: in the clear first."""

    def __init__(self, port: int, directory: str) -> None:
        super().__init__()
        self.port, self.directory = port, directory
        self.other = Side()
        self.other.other = self
        self.first = b""
        self.begun: asyncio.Task[None] | None = None

    def data_received(self, data: bytes) -> None:
        """Look at the first message, which says whether TLS is wanted; pass on what follows."""
        if self.other.transport is not None:
            self.other.transport.write(data)
            return
        self.first += data
        if self.begun is not None:
            return  # it came with the end of the handshake, and goes out when PostgreSQL is there
        if self.transport is None or len(self.first) < len(SSL_REQUEST):
            return
        if self.first == GSS_REQUEST:
            self.first = b""
            self.transport.write(b"N")
        elif self.first.startswith(SSL_REQUEST) and self.first != SSL_REQUEST:
            # What follows before our answer came in the clear: it must not be taken for encrypted.
            self.transport.close()
        else:
            self.transport.pause_reading()
            self.begun = asyncio.get_running_loop().create_task(self._begin(self.transport))

    async def _begin(self, transport: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        try:
            if self.first == SSL_REQUEST:
                self.first = b""
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(f"{self.directory}/certificate.pem", f"{self.directory}/key.pem")
                transport.write(b"S")
                secure = await loop.start_tls(transport, self, context, server_side=True)
                self.transport = transport = cast("asyncio.Transport", secure)
                transport.pause_reading()
            await loop.create_connection(lambda: self.other, "127.0.0.1", self.port)
        except OSError as error:  # a TLS error is one too
            sys.stderr.write(f"{error}\n")
            transport.close()
            return
        if self.other.transport is not None:
            self.other.transport.write(self.first)
        transport.resume_reading()


async def main() -> None:
    """Serve until the end."""
    address, port, directory = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Client(port, directory), address, port, backlog=256)
    await server.serve_forever()


asyncio.run(main())
