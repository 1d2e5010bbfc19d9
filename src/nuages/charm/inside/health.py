"""Ask the web service whether it is well: exit code 0 when it answers with a status from 200 to 399.

Arguments: port, Host header, protocol of the public URL, path. Pebble runs this again and again, so it imports as
little as it can. Pebble's own HTTP check can send neither Host nor protocol: behind ALLOWED_HOSTS and a redirect to
https it would always fail.
"""

import socket
import sys

LIMIT = 4096
PATIENCE = 4.0
"""Seconds for each step: less than Pebble grants the whole check."""


def main() -> None:
    """Send one request and look at the first line of the answer."""
    port, host, protocol, path = sys.argv[1:5]
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Proto: {protocol}\r\n"
        "User-Agent: charm-health\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )
    try:
        with socket.create_connection(("127.0.0.1", int(port)), PATIENCE) as connection:
            connection.sendall(request.encode())
            answer = b""
            while b"\n" not in answer and len(answer) < LIMIT:
                part = connection.recv(LIMIT)
                if not part:
                    break
                answer += part
    except OSError as error:
        raise SystemExit(f"{path}: {error}") from None
    words = answer.split(b"\n", 1)[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise SystemExit(f"{path}: no answer of HTTP")
    if not 200 <= int(words[1]) <= 399:
        raise SystemExit(f"{path}: status {int(words[1])}")


main()
