"""Runs in the application's container, with the web service's environment: loads the application and asks it.

Alone in its process, with the standard library and the project's Django. The question is JSON in the last argument, the
answer a line of JSON behind a mark. Pages are asked for without a server, so that what a page raises is seen even when
nothing logs it, as Django does by default.
"""
# pyright: basic

from __future__ import annotations

import importlib
import json
import logging
import os
import socket
import sys
import traceback
from typing import Any
from urllib.parse import urlsplit

HERE = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118  the project may bring a pathlib of its own
LONGEST = 600
PATIENCE = 3.0
PORTS = {"redis": 6379, "rediss": 6379, "valkey": 6379, "amqp": 5672, "pyamqp": 5672, "amqps": 5671}


def main() -> None:
    """Answer the question."""
    question = json.loads(sys.argv[-1])
    sys.path.insert(0, os.getcwd())  # noqa: PTH109  the project may bring a pathlib of its own
    answer: dict[str, Any] = {"raised": []}
    try:
        module, _, name = question["application"].partition(":")
        getattr(importlib.import_module(module), name or "application")
    except BaseException as error:
        answer["raised"].append(_raised(error, ""))
    else:
        _ask(question, answer)
    sys.stdout.write("\n" + question["mark"] + json.dumps(answer, default=str) + "\n")
    sys.stdout.flush()
    os._exit(0)  # threads that the project started would hold us


def _ask(question: dict[str, Any], answer: dict[str, Any]) -> None:
    from django.conf import settings
    from django.http.request import validate_host

    hosts = settings.ALLOWED_HOSTS
    storages = getattr(settings, "STORAGES", None) or {}
    answer.update(
        host_allowed=bool(settings.DEBUG or validate_host(question["host"], hosts)),
        hosts=[str(host) for host in hosts] if isinstance(hosts, list | tuple) else [repr(hosts)],
        debug=bool(settings.DEBUG),
        secure_cookies=[name for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE") if getattr(settings, name)],
        cookie_domains=[
            [name, str(getattr(settings, name))]
            for name in ("SESSION_COOKIE_DOMAIN", "CSRF_COOKIE_DOMAIN")
            if getattr(settings, name)
        ],
        script_name=str(settings.FORCE_SCRIPT_NAME or ""),
        storage=str(storages.get("staticfiles", {}).get("BACKEND", getattr(settings, "STATICFILES_STORAGE", ""))),
        services=_services(settings),
    )
    answer["unreachable"] = [entry for entry in answer["services"] if not _listens(entry[1])]
    logging.disable(logging.CRITICAL)  # what is raised is told here; nobody is to get mail about it a second time
    for key, ask in (("vendor", _vendor), ("health", _health), ("routed_below", lambda: _routed(question["prefix"]))):
        try:
            answer[key] = ask()
        except Exception as error:
            answer["raised"].append(_raised(error, ""))
    for path in question["paths"]:
        raised = _page(path, question)
        if raised is not None:
            answer["raised"].append(raised)


def _page(path: str, question: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a page raises, None when it answers."""
    from django.test import Client

    secure = question["scheme"] == "https"
    client = Client(raise_request_exception=False, HTTP_HOST=question["netloc"], HTTP_ACCEPT="text/html,*/*")
    try:
        response: Any = client.get(path, secure=secure)
    except Exception as error:  # a middleware outside of Django's own handling
        return _raised(error, path)
    found = getattr(response, "exc_info", None)
    return _raised(found[1], path) if found and response.status_code >= 500 else None


def _vendor() -> str:
    from django.db import connection

    return str(connection.vendor)


def _health() -> list[str]:
    """Return the paths of routes without parameters that look like health pages."""
    from django.urls import get_resolver

    words = ("health", "alive", "ready", "ping", "heartbeat", "status")
    patterns: Any = get_resolver().url_patterns
    routes = [str(pattern.pattern).strip("^$") for pattern in patterns]
    return ["/" + route for route in routes if route and not set(route) & set("<(\\[*") and route.strip("/") and
            any(word in route.lower() for word in words)]  # fmt: skip


def _routed(prefix: str) -> str:
    """Return the public URL's path if the application has its pages below it, and none at its root."""
    from django.urls import Resolver404, resolve

    if not prefix:
        return ""
    for path, there in (("/", False), (prefix + "/", True)):
        try:
            resolve(path)
        except Resolver404:
            if there:
                return ""
        else:
            if not there:
                return ""
    return prefix


def _services(settings: Any) -> list[list[str]]:
    """Return the settings that name another server, with scheme, host and port of it alone."""
    found: list[list[str]] = []
    for entry in (getattr(settings, "CACHES", None) or {}).values():
        locations = entry.get("LOCATION") if isinstance(entry, dict) else None
        for location in locations if isinstance(locations, list | tuple) else [locations]:
            found.append(["CACHES", _server(location)])
    for name in ("CELERY_BROKER_URL", "BROKER_URL", "CELERY_RESULT_BACKEND", "RABBITMQ_URL", "REDIS_URL"):
        found.append([name, _server(getattr(settings, name, None))])
    return [list(entry) for entry in dict.fromkeys(tuple(entry) for entry in found) if entry[1]]


def _listens(server: str) -> bool:
    """Whether something listens where a setting says."""
    parts = urlsplit(server)
    port = parts.port or PORTS.get(parts.scheme.partition("+")[0])
    if port is None:
        return True  # nobody knows
    try:
        socket.create_connection((parts.hostname or "localhost", port), PATIENCE).close()
    except OSError:
        return False
    return True


def _server(value: object) -> str:
    if not isinstance(value, str) or "://" not in value:
        return ""
    try:
        parts = urlsplit(value)
        return f"{parts.scheme}://{parts.hostname or 'localhost'}" + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return ""


def _raised(error: BaseException, path: str) -> dict[str, Any]:
    """Return what was raised, the last line of the project's own that it passed, and what led to it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(HERE)]
    file, line = (frames[-1].filename[len(HERE) :], frames[-1].lineno) if frames else ("", 0)
    if isinstance(error, SyntaxError) and error.filename and error.filename.startswith(HERE):
        file, line = error.filename[len(HERE) :], error.lineno
    causes: list[list[str]] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < 8:
        causes.append([_type(cause), _text(cause)])
        cause = cause.__cause__ or cause.__context__
    return {"type": _type(error), "text": _text(error), "path": path, "file": file, "line": line or 0,
            "causes": causes}  # fmt: skip


def _type(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _text(error: BaseException) -> str:
    return " ".join(str(error).split())[:LONGEST]


if __name__ == "__main__":
    main()
