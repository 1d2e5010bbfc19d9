"""A client of MongoDB's protocol inside a pod, of the standard library: commands and answers are Python's own types.

Logs in with SCRAM-SHA-256 (RFC 7677) as drivers do. Bytes are not needed, and `getMore` wants a long.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.services.pod import CommandError, Pod

_PROGRAM = r"""
import base64, hashlib, hmac, json, os, socket, struct, sys

def bson(document):
    out = b"".join(element(name, value) for name, value in document.items())
    return struct.pack("<i", len(out) + 5) + out + b"\0"

def element(name, value):
    if isinstance(value, bool):
        kind, data = 8, bytes([value])
    elif isinstance(value, int) and name != "getMore":
        kind, data = 16, struct.pack("<i", value)
    elif isinstance(value, int):
        kind, data = 18, struct.pack("<q", value)
    elif isinstance(value, str):
        text = value.encode() + b"\0"
        kind, data = 2, struct.pack("<i", len(text)) + text
    elif isinstance(value, bytes):
        kind, data = 5, struct.pack("<i", len(value)) + b"\0" + value
    elif isinstance(value, list):
        kind, data = 4, bson({str(i): item for i, item in enumerate(value)})
    elif value is None:
        kind, data = 10, b""
    else:
        kind, data = 3, bson(value)
    return bytes([kind]) + name.encode() + b"\0" + data

def read(data):
    document, at = {}, 4
    while data[at]:
        kind, end = data[at], data.index(0, at + 1)
        name, at = data[at + 1:end].decode(), end + 1
        size = {1: 8, 7: 12, 8: 1, 9: 8, 10: 0, 16: 4, 17: 8, 18: 8}.get(kind)
        if size is None:
            size = struct.unpack_from("<i", data, at)[0] + {2: 4, 3: 0, 4: 0, 5: 5}[kind]
        part, at = data[at:at + size], at + size
        if kind == 1: value = struct.unpack("<d", part)[0]
        elif kind == 2: value = part[4:-1].decode()
        elif kind == 3: value = read(part)
        elif kind == 4: value = list(read(part).values())
        elif kind == 5: value = part[5:]
        elif kind == 8: value = bool(part[0])
        elif kind == 10: value = None
        elif kind in (7, 17): value = part.hex()
        else: value = int.from_bytes(part, "little", signed=True)
        document[name] = value
    return document

def ask(command):
    body = struct.pack("<i", 0) + b"\0" + bson(command)
    connection.sendall(struct.pack("<iiii", 16 + len(body), 1, 0, 2013) + body)
    header = stream.read(16)
    if len(header) < 16:
        raise EOFError("connection closed")
    answer = read(stream.read(struct.unpack("<i", header[:4])[0] - 16)[5:])
    if answer.get("ok") != 1 or answer.get("writeErrors"):
        raise SystemExit(answer.get("errmsg") or str(answer))
    return answer

def login(user, password):
    first = "n=%s,r=%s" % (user, base64.b64encode(os.urandom(18)).decode())
    start = {"saslStart": 1, "mechanism": "SCRAM-SHA-256", "payload": ("n,," + first).encode(), "$db": "admin"}
    answer = ask(start)
    said = answer["payload"].decode()
    fields = dict(item.split("=", 1) for item in said.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
    key = hmac.digest(salted, b"Client Key", "sha256")
    final = "c=biws,r=" + fields["r"]
    signature = hmac.digest(hashlib.sha256(key).digest(), ",".join((first, said, final)).encode(), "sha256")
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature))).decode()
    more = {"saslContinue": 1, "conversationId": answer["conversationId"], "$db": "admin"}
    answer = ask({**more, "payload": (final + ",p=" + proof).encode()})
    if not answer["done"]:
        ask({**more, "payload": b""})

question = json.loads(sys.stdin.readline())
connection = socket.create_connection(("127.0.0.1", 27017), timeout=10)
stream = connection.makefile("rb")
if question["login"]:
    login(*question["login"])
answers = []
for command in question["commands"]:
    if command == "wait":
        print("ready", flush=True)
        sys.stdin.readline()
    else:
        answers.append(ask(command))
print(json.dumps(answers, default=repr))
"""


class RefusedCommand(Exception):
    """The server's own error."""


def ask(pod: Pod, *commands: dict[str, Any], login: tuple[str, ...] = ()) -> Any:
    """Return the answer of the last command, all of one connection."""
    try:
        answers = pod.python(_PROGRAM, json.dumps({"login": login, "commands": commands}) + "\n")
    except CommandError as error:
        raise RefusedCommand(str(error).strip()) from None
    return json.loads(answers)[-1]


def opened(pod: Pod, *commands: dict[str, Any], login: tuple[str, ...]) -> Any:
    """Return a process with a connection that is logged in, and sends the commands after a line of standard input."""
    argv = [str(Path(sys.executable).resolve()), "-I", "-S", "-c", _PROGRAM]
    process: Any = pod.client.exec(argv, encoding="utf-8", working_dir="/")
    process.stdin.write(json.dumps({"login": login, "commands": ["wait", *commands]}) + "\n")
    process.stdin.flush()
    assert process.stdout.readline() == "ready\n"
    return process
