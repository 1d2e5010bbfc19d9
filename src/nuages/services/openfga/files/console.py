"""A console into one store, run in the server's pod. The store and the token come by the environment.

Arguments: port, then a command and its words; without them commands are read line by line.
API: https://openfga.dev/api/service
"""

# `repl` is beside it in the pod only:
# pyright: basic, reportMissingImports=false
from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from repl import ConsoleError, loop, perform, say

COMMANDS = """\
models                         list the ids of authorization models, the newest first
model [ID]                     show an authorization model, the newest if none is named
read [USER RELATION OBJECT]    list relationship tuples: all, or those that match; - is any, document: any document
check USER RELATION OBJECT     tell whether the user has the relation to the object
write USER RELATION OBJECT     store a relationship tuple
delete USER RELATION OBJECT    remove a relationship tuple
help                           this list"""
ANY = "-"


class Console:
    """The store of one relation."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def do(self, words: Sequence[str]) -> None:
        """Do one command."""
        perform(self, COMMANDS, words)

    def do_models(self) -> None:
        """List the ids of models."""
        for model in self.models():
            say(model["id"])

    def do_model(self, model: str = "") -> None:
        """Show one model."""
        if model:
            found = self.ask(f"authorization-models/{quote(model, safe='')}")["authorization_model"]
        else:
            found = next(self.models(), None)
        if found is None:
            raise ConsoleError("the store has no authorization model yet")
        say(json.dumps(found, indent=2, ensure_ascii=False))

    def do_read(self, user: str = ANY, relation: str = ANY, thing: str = ANY) -> None:
        """List tuples, page by page."""
        named = {key: word for key, word in _tuple(user, relation, thing).items() if word != ANY}
        body: dict[str, Any] = {"tuple_key": named} if named else {}
        while True:
            answer = self.ask("read", body)
            for found in answer["tuples"]:
                key = found["key"]
                condition = json.dumps(key["condition"], ensure_ascii=False) if key.get("condition") else ""
                say(f"{key['user']} {key['relation']} {key['object']} {condition}".rstrip())
            if not answer.get("continuation_token"):
                return
            body["continuation_token"] = answer["continuation_token"]

    def do_check(self, user: str, relation: str, thing: str) -> None:
        """Say yes or no."""
        say("yes" if self.ask("check", {"tuple_key": _tuple(user, relation, thing)}).get("allowed") else "no")

    def do_write(self, user: str, relation: str, thing: str) -> None:
        """Store a tuple."""
        self.ask("write", {"writes": {"tuple_keys": [_tuple(user, relation, thing)]}})

    def do_delete(self, user: str, relation: str, thing: str) -> None:
        """Remove a tuple."""
        self.ask("write", {"deletes": {"tuple_keys": [_tuple(user, relation, thing)]}})

    def models(self) -> Iterator[dict[str, Any]]:
        """Yield all models."""
        query = ""
        while True:
            answer = self.ask(f"authorization-models{query}")
            yield from answer["authorization_models"]
            if not answer.get("continuation_token"):
                return
            query = f"?continuation_token={quote(answer['continuation_token'], safe='')}"

    def ask(self, path: str, body: Any = None) -> Any:
        """Return the server's answer to a GET, or with a body to a POST."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/{path}", data, self.headers)  # noqa: S310  # http
        try:
            with self.opener.open(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ConsoleError(_reason(error)) from None
        except urllib.error.URLError as error:
            raise ConsoleError(f"the server does not answer: {error.reason}") from None


def _tuple(user: str, relation: str, thing: str) -> dict[str, str]:
    return {"user": user, "relation": relation, "object": thing}


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return " ".join(json.load(error)["message"].split())
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"the server says {error.code} {error.reason}"


def main() -> int:
    """Do the command of the arguments, or those of standard input."""
    url = f"http://127.0.0.1:{int(sys.argv[1])}/stores/{os.environ['FGA_STORE_ID']}"
    console = Console(url, os.environ["FGA_API_TOKEN"])
    return loop(console.do, sys.argv[2:], prompt="openfga> ", intro=COMMANDS)


if __name__ == "__main__":
    sys.exit(main())
