"""A client of S3 as small as can be: signed requests (AWS Signature Version 4) with the standard library.

It runs in the store's pod, for the administrator's requests and for the console.
Format of signatures: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO
from urllib.parse import quote, urlsplit

_UNSIGNED = "UNSIGNED-PAYLOAD"


class S3Error(Exception):
    """The store refused; the text is its own."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Client:
    """Keys and a store."""

    endpoint: str
    access: str
    secret: str
    region: str
    authorities: str = ""
    """With https, the file of the authorities to trust."""

    def request(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes | IO[bytes] = b""
    ) -> http.client.HTTPResponse:
        """Send a request and return the answer, unread.

        Raises:
            S3Error: the store refused it.
            OSError: it cannot be reached.
        """
        now = time.gmtime()
        url = urlsplit(self.endpoint)
        asked = _encoded(query or {})
        payload = hashlib.sha256(body).hexdigest() if isinstance(body, bytes) else _UNSIGNED
        headers = {"host": url.netloc, "x-amz-content-sha256": payload, "x-amz-date": _stamp(now)}
        lines = [method, _path(path), asked, *_lines(headers), payload]
        scope, signature = self._sign(now, lines)
        signed = ";".join(sorted(headers))
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access}/{scope},SignedHeaders={signed},Signature={signature}"
        )
        connection = self._connection(url.scheme, url.netloc)
        connection.request(method, _path(path) + (f"?{asked}" if asked else ""), body, headers)
        answer = connection.getresponse()
        if answer.status >= 300:
            raise S3Error(answer.status, answer.read(4096).decode(errors="replace"))
        return answer

    def _connection(self, scheme: str, place: str) -> http.client.HTTPConnection:
        if scheme == "https":
            context = ssl.create_default_context(cafile=self.authorities)
            return http.client.HTTPSConnection(place, timeout=60, context=context)
        return http.client.HTTPConnection(place, timeout=60)

    def presigned(self, path: str, seconds: int, method: str = "GET") -> str:
        """Return a URL that does `method` without keys for so many seconds."""
        now = time.gmtime()
        url = urlsplit(self.endpoint)
        query = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{self.access}/{self._scope(now)}",
            "X-Amz-Date": _stamp(now),
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": "host",
        }
        asked = _encoded(query)
        lines = [method, _path(path), asked, *_lines({"host": url.netloc}), _UNSIGNED]
        _, signature = self._sign(now, lines)
        return f"{self.endpoint}{_path(path)}?{asked}&X-Amz-Signature={signature}"

    def _scope(self, now: time.struct_time) -> str:
        return f"{time.strftime('%Y%m%d', now)}/{self.region}/s3/aws4_request"

    def _sign(self, now: time.struct_time, lines: Sequence[str]) -> tuple[str, str]:
        """Return the scope and the signature of a request, which is given by its canonical lines."""
        scope = self._scope(now)
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        key = f"AWS4{self.secret}".encode()
        for word in scope.split("/"):
            key = hmac.digest(key, word.encode(), "sha256")
        text = f"AWS4-HMAC-SHA256\n{_stamp(now)}\n{scope}\n{digest}"
        return scope, hmac.digest(key, text.encode(), "sha256").hex()


def _lines(headers: Mapping[str, str]) -> list[str]:
    names = sorted(headers)
    return [*(f"{name}:{headers[name]}" for name in names), "", ";".join(names)]


def _stamp(now: time.struct_time) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", now)


def _path(path: str) -> str:
    return quote(path, safe="/~")


def _encoded(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(query.items()))
