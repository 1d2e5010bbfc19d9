"""What the API makes of a query."""

import asyncio
import errno
import json

import pytest
from starlette.requests import Request

from nuages.engine.api.answers import answering, number
from nuages.engine.errors import EngineError


def query(text: str) -> Request:
    return Request({"type": "http", "query_string": text.encode(), "headers": []})


def test_numbers():
    assert number(query("lines=10"), "lines") == 10
    assert number(query(""), "lines") is None


@pytest.mark.parametrize("text", ["", "-1", "x", "1.5", "9" * 19, "9" * 5000, "²"])
def test_what_is_no_number_is_said_and_not_repeated_at_length(text):
    with pytest.raises(EngineError, match="a number is needed") as error:
        number(query(f"lines={text}"), "lines")
    assert len(str(error.value)) < 100


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), "cannot do that: no space left for /x/y"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "cannot do that: no space left for a file"),
        (OSError(errno.EIO, "secret text"), "cannot do that: internal error of the engine"),
        (KeyError("secret text"), "cannot do that: internal error of the engine"),
    ],
)
def test_what_nobody_foresaw(error, said):
    async def handler(request):
        raise error

    request = Request({"type": "http", "method": "GET", "path": "/x", "query_string": b"", "headers": []})
    answer = asyncio.run(answering(handler)(request))
    found = json.loads(bytes(answer.body))["error"]
    assert (answer.status_code >= 500, found["message"]) == (True, said)
    assert found["fix"]
