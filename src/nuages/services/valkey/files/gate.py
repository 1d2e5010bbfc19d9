"""The gate before Valkey, run in its pod: who comes from a related application is logged in, others log in themselves.

Arguments: the port, the server's socket, the file of settings. Whatever both sides say is passed on unread; only the
gate's own login and its answer are not. One thread and plain sockets: what a request costs more is two hand-overs.
"""

# `related` is beside it in the pod only:
# pyright: basic, reportMissingImports=false
from __future__ import annotations

import contextlib
import json
import resource
import select
import socket
import sys
import time
from pathlib import Path

from related import Pods

_IN, _OUT = select.EPOLLIN, select.EPOLLOUT
_BUFFER = 256 * 1024  # bytes that are passed on at once
_BACKLOG = 511  # as Valkey's own
_ALIVE = 300  # seconds of silence after which a client is asked whether it is there, as Valkey's own
_PATIENCE = 10.0  # seconds for which a related application's connection waits for a server that is being started
_AGAIN = 0.05  # seconds between two tries
_LOOK = 1.0  # seconds after which a changed file of settings is seen at the latest
_OK = b"+OK\r\n"


class Settings:
    """The file with the password and the applications that need not know it, read anew when it was replaced."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._stamp = (0, 0)
        self.login = b""
        self.applications: frozenset[str] = frozenset()
        self.read()

    def read(self) -> bool:
        """Read the file when it is another one, and tell whether it was."""
        found = self._path.stat()
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp == self._stamp:
            return False
        document = json.loads(self._path.read_text())
        password = document["password"].encode()
        self.login = b"*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n" % (len(password), password)
        self.applications = frozenset(document["applications"])
        self._stamp = stamp
        return True


class Side:
    """One end of a connection: what it sends goes to `other`, what could not be sent to it yet is `waiting`."""

    __slots__ = ("answer", "application", "ended", "events", "number", "other", "server", "socket", "waiting")

    def __init__(self, connection: socket.socket, application: str, *, server: bool) -> None:
        self.socket, self.application, self.server = connection, application, server
        self.number = connection.fileno()
        self.other: Side = self
        self.waiting = memoryview(b"")
        self.answer = b""  # what is still to come of the answer to our login
        self.ended = False
        self.events = 0


class Gate:
    """The listener and all connections."""

    def __init__(self, port: int, server: str, settings: Settings, pods: Pods) -> None:
        self.server, self.settings, self.pods = server, settings, pods
        self.poll = select.epoll()
        self.sides: dict[int, Side] = {}
        self.late: list[tuple[socket.socket, str, float]] = []
        self.buffer = memoryview(bytearray(_BUFFER))
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self.most = most - 64
        self.listener = socket.create_server(("", port), backlog=_BACKLOG)
        self.listener.setblocking(False)
        self.listening = False

    def forever(self) -> None:
        """Serve until a signal ends it."""
        listener = self.listener.fileno()
        seen = time.monotonic()
        while True:
            self.listen()
            for number, event in self.poll.poll(_AGAIN if self.late else _LOOK):
                if number == listener:
                    self.accept()
                    continue
                if event & _OUT and number in self.sides:
                    self.flush(self.sides[number])
                if event & ~_OUT and number in self.sides:
                    self.carry(self.sides[number])
            if self.late:
                self.retry()
            if time.monotonic() - seen > _LOOK:
                seen = time.monotonic()
                self.look()

    def listen(self) -> None:
        """Take new connections while there are descriptors for both their ends."""
        wanted = len(self.sides) + 2 * len(self.late) < self.most
        if wanted != self.listening:
            self.listening = wanted
            if wanted:
                self.poll.register(self.listener, _IN)
            else:
                self.poll.unregister(self.listener)

    def accept(self) -> None:
        """Take one new connection."""
        try:
            client, (address, _) = self.listener.accept()
        except (BlockingIOError, ConnectionError):
            return  # it went away meanwhile
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _ALIVE)
        if self.join(client, address):
            return
        if self.related(address):
            self.late.append((client, address, time.monotonic() + _PATIENCE))
        else:
            client.close()

    def related(self, address: str) -> str:
        """Return the related application that comes from the address, "" when none does."""
        self.look()
        application = self.pods.application(address)
        return application if application in self.settings.applications else ""

    def join(self, client: socket.socket, address: str) -> bool:
        """Connect a client with the server, logged in when it is related; return whether the server was there."""
        server = socket.socket(socket.AF_UNIX)
        server.setblocking(False)
        try:
            server.connect(self.server)
        except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
            server.close()
            return False
        application = self.related(address)
        ends = Side(client, application, server=False), Side(server, application, server=True)
        ends[0].other, ends[1].other = ends[1], ends[0]
        for end in ends:
            self.sides[end.number] = end
            self.watch(end, _IN)
        if application:
            ends[1].answer = _OK
            self.send(ends[1], memoryview(self.settings.login))
        return True

    def retry(self) -> None:
        """Try again for those that wait for the server."""
        now, late = time.monotonic(), self.late
        self.late = []
        for client, address, until in late:
            if self.join(client, address):
                continue
            if now < until:
                self.late.append((client, address, until))
            else:
                client.close()

    def look(self) -> None:
        """Read the settings when they are new, and close what they no longer let in."""
        if self.settings.read():
            for side in list(self.sides.values()):
                if side.application and side.application not in self.settings.applications:
                    self.close(side)

    def carry(self, side: Side) -> None:
        """Pass on what a side has sent."""
        try:
            length = side.socket.recv_into(self.buffer)
        except BlockingIOError:
            return
        except OSError:
            self.close(side)
            return
        if length == 0:
            side.ended = True
            if not side.other.waiting:
                self.finish(side)
            else:
                self.watch(side, side.events & ~_IN)
            return
        data = self.buffer[:length]
        if side.answer:
            data = self.logged_in(side, data)
        if data:
            self.send(side.other, data)

    def logged_in(self, side: Side, data: memoryview) -> memoryview:
        """Return what is behind the answer to our login; a refusal is for the client to read."""
        length = min(len(data), len(side.answer))
        if data[:length] != side.answer[:length]:
            said = bytes(data).partition(b"\r")[0].decode(errors="replace")
            sys.stderr.write(f"cannot log in: Valkey says {said}\n")
            side.answer = b""
            return data
        side.answer = side.answer[length:]
        return data[length:]

    def send(self, side: Side, data: memoryview) -> None:
        """Send to a side; what it does not take now is kept, and nothing is read from the other until it is gone."""
        try:
            length = 0 if side.waiting else side.socket.send(data)
        except BlockingIOError:
            length = 0
        except OSError:
            self.lost(side)
            return
        if length < len(data):
            side.waiting = memoryview(bytes(side.waiting) + bytes(data[length:]))
            self.watch(side, side.events | _OUT)
            self.watch(side.other, side.other.events & ~_IN)

    def flush(self, side: Side) -> None:
        """Send what waits."""
        if not side.waiting:
            return
        try:
            length = side.socket.send(side.waiting)
        except BlockingIOError:
            return
        except OSError:
            self.lost(side)
            return
        side.waiting = side.waiting[length:]
        if side.waiting:
            return
        self.watch(side, side.events & ~_OUT)
        if side.other.ended:
            self.finish(side.other)
        else:
            self.watch(side.other, side.other.events | _IN)

    def lost(self, side: Side) -> None:
        """Deal with a side that takes nothing any more."""
        if not side.server:
            self.close(side)
            return
        # It has closed, as after QUIT, while more commands came: its last answers are still to be passed on.
        side.waiting = side.waiting[:0]
        self.watch(side, 0 if side.ended else _IN)
        self.watch(side.other, side.other.events & ~_IN)

    def finish(self, side: Side) -> None:
        """Tell the other side that this one says nothing more; a server that has closed is gone altogether."""
        if side.server:
            self.close(side)
            return
        self.watch(side, side.events & ~_IN)
        with contextlib.suppress(OSError):  # it is about to be closed from the other side
            side.other.socket.shutdown(socket.SHUT_WR)

    def watch(self, side: Side, events: int) -> None:
        """Wait for these events of a side; for none it is left alone, else a closed one would be told for ever."""
        if events == side.events:
            return
        if not side.events:
            self.poll.register(side.number, events)
        elif not events:
            self.poll.unregister(side.number)
        else:
            self.poll.modify(side.number, events)
        side.events = events

    def close(self, side: Side) -> None:
        """Close both sides."""
        for end in (side, side.other):
            if self.sides.pop(end.number, None):
                self.watch(end, 0)
                end.socket.close()


def main() -> None:
    """Serve."""
    port, server, settings = sys.argv[1:4]
    Gate(int(port), server, Settings(settings), Pods()).forever()


if __name__ == "__main__":
    main()
