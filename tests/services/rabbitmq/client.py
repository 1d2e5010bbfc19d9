"""AMQP 0-9-1 as far as the tests speak it, with the standard library: a program that runs in the broker's own pod."""

from __future__ import annotations

import json
from typing import Any

from tests.services.pod import Pod

PROGRAM = r"""
import json, socket, struct, sys

def short(text):
    data = text.encode()
    return bytes([len(data)]) + data

def long(data):
    return struct.pack(">I", len(data)) + data

class Client:
    def __init__(self, ask):
        self.socket = socket.create_connection(("127.0.0.1", 5672), 10)
        self.file = self.socket.makefile("rb")
        self.socket.sendall(b"AMQP\0\0\x09\x01")
        self.expect(10, 10)
        login = b"\0" + ask["user"].encode() + b"\0" + ask["password"].encode()
        # It wants to be told why it is refused.
        able = short("capabilities") + b"F" + long(short("authentication_failure_close") + b"t\1")
        self.call(0, 10, 11, long(able) + short("PLAIN") + long(login) + short("en_US"))
        self.expect(10, 30)
        self.call(0, 10, 31, struct.pack(">HIH", 16, 131072, 0))
        self.call(0, 10, 40, short(ask["vhost"]) + short("") + b"\0")
        self.expect(10, 41)
        self.call(1, 20, 10, short(""))
        self.expect(20, 11)

    def frame(self, kind, channel, payload):
        self.socket.sendall(struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce")

    def call(self, channel, group, method, arguments):
        self.frame(1, channel, struct.pack(">HH", group, method) + arguments)

    def read(self):
        head = self.file.read(7)
        if len(head) < 7:
            sys.exit("closed")
        kind, _, size = struct.unpack(">BHI", head)
        return kind, self.file.read(size + 1)[:-1]

    def expect(self, group, *methods):
        kind, payload = self.read()
        found = struct.unpack(">HH", payload[:4])
        if found in ((10, 50), (20, 40)):
            code, size = struct.unpack(">HB", payload[4:7])
            sys.exit(f"{code} {payload[7:7 + size].decode()}")
        assert found in [(group, method) for method in methods], found
        return found[1], payload[4:]

    def declare(self, queue, kind):
        table = short("x-queue-type") + b"S" + long(kind.encode())
        self.call(1, 50, 10, b"\0\0" + short(queue) + b"\x02" + long(table))
        self.expect(50, 11)

    def publish(self, queue, body):
        self.call(1, 85, 10, b"\0")
        self.expect(85, 11)
        self.call(1, 60, 40, b"\0\0" + short("") + short(queue) + b"\0")
        self.frame(2, 1, struct.pack(">HHQHB", 60, 0, len(body), 0x1000, 2))
        self.frame(3, 1, body)
        self.expect(60, 80)

    def get(self, queue):
        self.call(1, 60, 70, b"\0\0" + short(queue) + b"\x01")
        method, _ = self.expect(60, 71, 72)
        if method == 72:
            return None
        _, header = self.read()
        (size,) = struct.unpack(">Q", header[4:12])
        body = b""
        while len(body) < size:
            body += self.read()[1]
        return body.decode()

ask = json.load(sys.stdin)
client = Client(ask)
said = []
for step in ask["steps"]:
    said.append(getattr(client, step[0])(*[w.encode() if step[0] == "publish" and n else w
                                           for n, w in enumerate(step[1:])]))
print(json.dumps(said))
"""


def amqp(pod: Pod, user: str, password: str, *steps: tuple[str, ...], vhost: str = "/") -> list[Any]:
    """Log in and do the steps (`declare` a queue, `publish` and wait for the confirm, `get`); return what each says."""
    ask = {"user": user, "password": password, "vhost": vhost, "steps": steps}
    return json.loads(pod.python(PROGRAM, json.dumps(ask)))
