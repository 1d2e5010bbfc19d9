"""What the command line uses to talk to the daemon: JSON over HTTP on its Unix socket, standard library only."""

import contextlib
import http.client
import json
import os
import socket
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlencode

from nuages.errors import NuagesError

SOCKET_NAME = "daemon.sock"
LONGEST_SOCKET_PATH = 107
ANSWER_TIMEOUT = 60.0
POLL = 5.0

QueryValue = str | int | Sequence[str] | None
JSON = Any  # A document of the daemon's; each reader turns what it needs into types.


class ApiError(NuagesError):
    """The daemon refused or failed."""

    code = "api"


class NotRunningError(ApiError):
    """Nobody answers on the socket."""

    code = "not-running"


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket, also one whose path is longer than a socket address may be."""

    def __init__(self, path: Path, timeout: float | None) -> None:
        super().__init__("nuages", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(self.timeout)
        try:
            if len(os.fsencode(self._path)) <= LONGEST_SOCKET_PATH:
                connection.connect(str(self._path))
            else:
                folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY)
                try:
                    connection.connect(f"/proc/self/fd/{folder}/{self._path.name}")
                finally:
                    os.close(folder)
        except BaseException:
            connection.close()
            raise
        self.sock = connection


def model_path(model: str, *parts: str) -> str:
    """Return the path of something of a model, its names quoted."""
    return "/v1/models/" + "/".join(quote(part, safe="") for part in (model, *parts))


class Client:
    """One daemon. Every method raises `ApiError` with the daemon's own words and fix."""

    def __init__(self, path: Path) -> None:
        """`path` is the daemon's socket."""
        self.path = path
        self.version: str | None = None

    def get(self, path: str, *, timeout: float = ANSWER_TIMEOUT, **query: QueryValue) -> JSON:
        """Return the document at `path`."""
        return self._call("GET", _with_query(path, query), None, timeout)

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, timeout: float = ANSWER_TIMEOUT) -> JSON:
        """Ask for a mutation; the answer usually names its change."""
        return self._call("POST", path, dict(body or {}), timeout)

    def put(self, path: str, body: Mapping[str, Any] | None = None, *, timeout: float = ANSWER_TIMEOUT) -> JSON:
        """Create what is at `path` unless it exists."""
        return self._call("PUT", path, dict(body or {}), timeout)

    def delete(self, path: str, *, timeout: float = 300.0) -> JSON:
        """Remove what is at `path`; returns when it is gone."""
        return self._call("DELETE", path, None, timeout)

    def stream(self, path: str, **query: QueryValue) -> Iterator[dict[str, Any]]:
        """Yield the documents of a stream of JSON lines until the daemon ends it."""
        with self._answer("GET", _with_query(path, query), None, None) as response:
            try:
                for line in response:
                    if line.strip():
                        yield json.loads(line)
            except (OSError, http.client.HTTPException) as error:
                raise _lost(error) from error

    def wait(
        self,
        model: str,
        change: str,
        *,
        on_progress: Callable[[dict[str, Any]], None] | None = None,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """Return the finished change, whatever its outcome.

        `on_progress` sees every version of it. After `timeout` seconds the unfinished one is returned.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = POLL if deadline is None else max(0.0, min(POLL, deadline - time.monotonic()))
            wait = 1.0 if on_progress is not None else left
            document = cast(
                "dict[str, Any]", self.get(model_path(model, "changes", change), wait=f"{min(wait, left):g}")
            )
            if on_progress is not None:
                on_progress(document)
            if document.get("ready") or (deadline is not None and time.monotonic() >= deadline):
                return document

    def _call(self, method: str, path: str, body: dict[str, Any] | None, timeout: float) -> JSON:
        with self._answer(method, path, body, timeout) as response:
            try:
                content = response.read()
                return json.loads(content) if content.strip() else {}
            except ValueError as error:
                raise ApiError(
                    "cannot read the daemon's answer: it is not JSON", fix="see its log, daemon.log"
                ) from error
            except (OSError, http.client.HTTPException) as error:
                raise _lost(error) from error

    @contextlib.contextmanager
    def _answer(
        self, method: str, path: str, body: dict[str, Any] | None, timeout: float | None
    ) -> Generator[http.client.HTTPResponse, None, None]:
        connection = _UnixConnection(self.path, timeout)
        try:
            headers = {"Host": "nuages", "Accept": "application/json"}
            payload = None
            if body is not None:
                payload = json.dumps(body).encode()
                headers["Content-Type"] = "application/json"
            try:
                connection.request(method, path, payload, headers)
                response = connection.getresponse()
            except (FileNotFoundError, ConnectionRefusedError) as error:
                raise NotRunningError(
                    "cannot reach the engine: its daemon is not running", fix="run the command again; it starts one"
                ) from error
            except PermissionError as error:
                raise ApiError(
                    f"cannot reach the engine at {self.path}: permission denied",
                    fix="run nuages as the user who started it",
                ) from error
            except TimeoutError as error:
                raise ApiError(
                    f"cannot get an answer of the engine: nothing came for {timeout:g} s",
                    fix="see daemon.log in its state folder",
                    code="timeout",
                ) from error
            except (OSError, http.client.HTTPException) as error:
                raise _lost(error) from error
            self.version = response.headers.get("Nuages-Version")
            if response.status >= 400:
                raise _refusal(response)
            yield response
        finally:
            connection.close()


def _with_query(path: str, query: Mapping[str, QueryValue]) -> str:
    given = {key: value for key, value in query.items() if value is not None}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


def _lost(error: Exception) -> ApiError:
    return ApiError(
        f"cannot finish: the engine's daemon went away ({error or type(error).__name__})",
        fix="run the command again; the daemon is started anew and goes on where it was",
        code="lost",
    )


def _refusal(response: http.client.HTTPResponse) -> ApiError:
    content = response.read()
    try:
        error = json.loads(content)["error"]
        return ApiError(str(error["message"]), fix=str(error.get("fix") or ""), code=str(error.get("code") or "api"))
    except (ValueError, KeyError, TypeError):
        return ApiError(
            f"cannot do that: the engine's daemon answered {response.status}", fix="see daemon.log in its state folder"
        )
