"""How requests are read and answered: one body model each, errors with their fix, streams of JSON lines."""

from __future__ import annotations

import errno
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import nuages
from nuages.engine.api import requests
from nuages.engine.errors import EngineError, NotFound
from nuages.errors import NuagesError

logger = logging.getLogger(__name__)

Body = TypeVar("Body", bound=requests.Request)
Handler = Callable[[Request], Awaitable[Response]]
LONGEST_WAIT = 300.0
LONGEST_NUMBER = 18
"""Digits."""


def answering(handler: Handler) -> Handler:
    """Turn errors into answers, and say our version in every one."""

    async def answer(request: Request) -> Response:
        try:
            response = await handler(request)
        except NotFound as error:
            response = error_document(404, str(error), error.fix, error.code)
        except NuagesError as error:
            response = error_document(400, str(error), error.fix, error.code)
        except ValidationError as error:
            reasons = "; ".join(
                f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in error.errors()
            )
            response = error_document(400, f"cannot understand the request: {reasons}", "", "request")
        except Exception as error:
            logger.exception("%s %s", request.method, request.url.path)
            response = _unforeseen(error)
        response.headers["Nuages-Version"] = nuages.__version__
        return response

    return answer


def _unforeseen(error: Exception) -> Response:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return error_document(
            507, f"cannot do that: no space left for {error.filename or 'a file'}", "make room on that disk", "no-space"
        )
    return error_document(500, "cannot do that: internal error of the engine", "see daemon.log", "internal")


async def http_error(request: Request, error: Exception) -> Response:
    """Answer for a path that there is not."""
    code = error.status_code if isinstance(error, HTTPException) else 500
    response = error_document(
        code, f"cannot {request.method} {request.url.path}: no such thing in this version", "", "http"
    )
    response.headers["Nuages-Version"] = nuages.__version__
    return response


async def body_of(request: Request, kind: type[Body]) -> Body:
    """Return the request's body; a wrong one raises every reason at once."""
    content = await request.body()
    return kind.model_validate_json(content or b"{}")


def document(content: Any) -> Response:
    """Answer with a JSON document."""
    return JSONResponse(content)


def error_document(status_code: int, message: str, fix: str, code: str) -> Response:
    """Answer with an error: what, how to mend it, and its code."""
    content = {"error": {"message": message, "fix": fix, "code": code}}
    return JSONResponse(content, status_code=status_code)


def number(request: Request, name: str) -> int | None:
    """Return a number of the query, None when it is not given.

    Raises:
        EngineError: it is none.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    if not text.isdecimal() or len(text) > LONGEST_NUMBER:
        raise EngineError(f"cannot understand {name}={text[:20]!r}: a number is needed", code="request")
    return int(text)


def seconds(request: Request) -> float:
    """Return how long the request wants to wait.

    Raises:
        EngineError: it does not say a number.
    """
    text = request.query_params.get("wait", "0")
    try:
        return max(0.0, min(float(text), LONGEST_WAIT))
    except ValueError:
        raise EngineError(f"cannot understand wait={text!r}: seconds are needed", code="request") from None


async def lines(records: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    """Yield records as lines of JSON."""
    async for record in records:
        yield json.dumps(record, ensure_ascii=False).encode() + b"\n"
