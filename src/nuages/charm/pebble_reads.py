"""All that a hook reads of Pebble, over one connection: each of ops's own calls makes one, and parses files as mail."""

import http.client
import json
import socket
from collections.abc import Iterator, Sequence
from typing import Any, cast
from urllib.parse import urlencode

from ops import pebble

TIMEOUT = 5.0
"""Seconds, as in ops."""


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        """Connect; `http.client` calls it, and again when the other side has closed the connection meanwhile."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Reader:
    """Reads from Pebble. Errors are those of ops's client."""

    def __init__(self, path: str) -> None:
        """Prepare to read from the socket at a path."""
        self._connection = UnixConnection(path)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def plan(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return the plan as ops returns it."""
        text = self._result("/v1/plan", format="yaml")
        return cast("dict[str, dict[str, dict[str, Any]]]", dict(pebble.Plan(str(text)).to_dict()))

    def states(self) -> dict[str, str]:
        """Return each service's state."""
        return {str(each["name"]): str(each["current"]) for each in self._items("/v1/services")}

    def answers(self, check: str) -> bool:
        """Whether there is such a check, up, and not just because nothing has been asked yet."""
        found = self._items("/v1/checks", names=check)
        return any(each["name"] == check and each["status"] == "up" and each.get("successes") for each in found)

    def files(self, paths: Sequence[str]) -> dict[str, str | None]:
        """Return the texts of files; None for one that is not there.

        Raises:
            ops.pebble.PathError: one cannot be read for another reason.
        """
        query = [("action", "read"), *(("path", path) for path in paths)]
        head, body = self._get("/v1/files?" + urlencode(query), accept="multipart/form-data")
        boundary = head.partition("boundary=")[2].split(";")[0].strip('" ')
        if not head.startswith("multipart/form-data") or not boundary:
            raise pebble.ProtocolError(f"expected Content-Type multipart/form-data, got {head!r}")
        texts: dict[str, str | None] = dict.fromkeys(paths)
        results: list[dict[str, Any]] = []
        for name, content in _parts(body, boundary.encode()):
            if name == "response":
                results = json.loads(content)["result"] or []
            elif name in texts:
                texts[name] = content.decode()
        for each in results:
            error = each.get("error")
            if error and error["kind"] != "not-found":
                raise pebble.PathError(error["kind"], error["message"])
            if error:
                texts[each["path"]] = None
        if len(results) != len(texts):
            raise pebble.ProtocolError(f"asked for {len(texts)} files, got {len(results)}")
        return texts

    def _items(self, path: str, **query: str) -> list[dict[str, Any]]:
        return cast("list[dict[str, Any]]", self._result(path, **query) or [])

    def _result(self, path: str, **query: str) -> object:
        return json.loads(self._get(path + ("?" + urlencode(query) if query else ""))[1])["result"]

    def _get(self, target: str, accept: str = "application/json") -> tuple[str, bytes]:
        """Return an answer's content type and content."""
        try:
            self._connection.request("GET", target, headers={"Accept": accept})
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise pebble.ConnectionError(f"could not talk to Pebble: {error}") from error
        if response.status != 200:
            raise _refusal(response.status, response.reason, body)
        return response.getheader("Content-Type", ""), body


def _refusal(status: int, reason: str, body: bytes) -> pebble.APIError:
    try:
        data: dict[str, Any] = json.loads(body)
        message = str(data["result"]["message"])
    except (ValueError, KeyError, TypeError):
        data, message = {}, reason
    return pebble.APIError(data, status, reason, message)


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield each part of a form: a file's path, or else the field's name, and the content."""
    # The first boundary begins the body; each of the others follows the line break that ends the part before.
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        if part.startswith(b"--"):
            return
        head, _, content = part.partition(b"\r\n\r\n")
        words = head.decode()
        mark = 'filename="' if 'filename="' in words else 'name="'
        yield words.partition(mark)[2].partition('"')[0], content
    raise pebble.ProtocolError("a form without its end")
