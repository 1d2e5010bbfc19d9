"""Who may talk to the daemon: processes of its own user, whatever the socket's file says."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

logger = logging.getLogger(__name__)


def peer_uid(connection: socket.socket) -> int:
    """Return the user id of the process at the other end of a Unix socket, as the kernel saw it at connect."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return int(uid)


class OwnPeersOnly(H11Protocol):
    """HTTP/1.1 for our own user; anybody else's connection is closed unread."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Check the peer first."""
        info: Any = transport.get_extra_info("socket")
        uid = peer_uid(cast("socket.socket", info))
        if uid != os.geteuid():
            logger.warning("refused a connection of user %d", uid)
            transport.abort()
            return
        super().connection_made(transport)
