"""Programs that run in a pod and see what passes the gate. The first prints a list of what did not."""

PROTOCOL = r"""
import json, socket, sys, threading, time
given = json.load(sys.stdin)
wrong = []

class Client:
    def __init__(self, login=True):
        self.socket = socket.create_connection(("127.0.0.1", 6379), timeout=30, source_address=(given["source"], 0))
        self.stream = self.socket.makefile("rb")
        if login and given["password"]:
            self("AUTH", given["password"])

    def send(self, *words):
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))

    def read(self):
        line = self.stream.readline()[:-2]
        kind, rest = line[:1], line[1:].decode()
        if kind == b"$":
            return None if rest == "-1" else self.stream.read(int(rest) + 2)[:-2]
        if kind in (b"*", b">"):
            return [self.read() for _ in range(int(rest))]
        if kind == b"%":
            return {self.read(): self.read() for _ in range(int(rest))}
        return int(rest) if kind == b":" else rest if kind else None

    def __call__(self, *words):
        self.send(*words)
        return self.read()

def check(what, found, expected):
    if found != expected:
        wrong.append(f"{what}: {found!r:.200} instead of {expected!r:.200}")

one, two = Client(), Client()
check("ping", one("PING"), "PONG")
check("a command on a line", (one.socket.sendall(b"PING hello\r\n"), one.read())[1], b"hello")
check("transaction", [one(*words) for words in (["MULTI"], ["SET", "t", "1"], ["INCR", "t"], ["EXEC"])],
      ["OK", "QUEUED", "QUEUED", ["OK", 2]])

two.send("BLPOP", "blocked", 20)
one("RPUSH", "blocked", "x")
check("blocking", two.read(), [b"blocked", b"x"])

check("subscribe", two("SUBSCRIBE", "news"), [b"subscribe", b"news", 1])
one("PUBLISH", "news", "it is")
check("message", two.read(), [b"message", b"news", b"it is"])

three = Client()
check("hello", three("HELLO", 3)[b"proto"], 3)
check("map", (three("HSET", "h", "a", "b"), three("HGETALL", "h"))[1], {b"a": b"b"})
check("wrong login", three("AUTH", "default", "x")[:9], "WRONGPASS")
check("and on", three("PING"), "PONG")

count = 50000
text = b"*2\r\n$4\r\nINCR\r\n$5\r\ncount\r\n" * count
one("DEL", "count")
threading.Thread(target=one.socket.sendall, args=(text,)).start()
time.sleep(0.2)  # the answers pile up unread, and so do the commands
check("pipeline", [one.read() for _ in range(count)], list(range(1, count + 1)))

value = bytes(range(256)) * 400000  # 102 MB
check("big value", one("SET", "big", value), "OK")
check("is read", one("GET", "big") == value, True)
one("DEL", "big")

four = Client()
four.send("SET", "half", "1")
four.socket.shutdown(socket.SHUT_WR)
check("answer and end", four.stream.read() in (b"+OK\r\n", b""), True)
check("half closed", one("GET", "half"), b"1")

five = Client()
five.socket.sendall(b"QUIT\r\n" + b"PING\r\n" * 10)
check("quit", five.stream.readline(), b"+OK\r\n")

many = [Client() for _ in range(200)]
check("many", [client("ECHO", str(n)) for n, client in enumerate(many)], [str(n).encode() for n in range(200)])
print(json.dumps(wrong))
"""

BLOCKED = r"""
import os, socket
with socket.create_connection(("127.0.0.1", 6379), timeout=30, source_address=(os.environ["FROM"], 0)) as connection:
    connection.sendall(b"PING\r\n")
    assert connection.recv(100) == b"+PONG\r\n"
    connection.sendall(b"BLPOP never 0\r\n")
    print("waiting", flush=True)
    print("closed" if connection.recv(100) == b"" else "answered", flush=True)
"""
