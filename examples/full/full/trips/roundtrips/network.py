"""What is asked over HTTP: who may do what, and the world outside."""

import json
import os
import secrets
import urllib.request

from django.conf import settings

MODEL = {
    "schema_version": "1.1",
    "type_definitions": [
        {"type": "user"},
        {
            "type": "page",
            "relations": {"reader": {"this": {}}},
            "metadata": {"relations": {"reader": {"directly_related_user_types": [{"type": "user"}]}}},
        },
    ],
}
"""One page, and who reads it."""


def openfga() -> str:
    """Say that a user reads a page, then ask whether that one and another one may."""
    model = _fga("authorization-models", MODEL)["authorization_model_id"]
    reader = {"user": f"user:{secrets.token_hex(4)}", "relation": "reader", "object": "page:trips"}
    _fga("write", {"authorization_model_id": model, "writes": {"tuple_keys": [reader]}})
    answers = [
        _fga("check", {"authorization_model_id": model, "tuple_key": {**reader, "user": user}})["allowed"]
        for user in (reader["user"], "user:nobody")
    ]
    if answers != [True, False]:
        raise ValueError(f"reader and nobody: {answers}")
    return f"{reader['user']} reads {reader['object']}, nobody else"


def _fga(what: str, document: object) -> dict:
    url = f"{os.environ['FGA_HTTP_API_URL'].rstrip('/')}/stores/{os.environ['FGA_STORE_ID']}/{what}"
    headers = {"Authorization": f"Bearer {os.environ['FGA_TOKEN']}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(document).encode(), headers)
    # Inside the model, hence not through the proxy.
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return json.load(answer)


def proxy() -> str:
    """Ask for a page outside; urllib takes the proxy from the variables that the charm sets."""
    if not settings.OUTSIDE:
        return "a proxy is there" if os.environ["HTTP_PROXY"] else "no proxy"
    with urllib.request.urlopen(settings.OUTSIDE, timeout=10) as answer:
        return f"{settings.OUTSIDE} answered {answer.status} with {len(answer.read())} bytes"
