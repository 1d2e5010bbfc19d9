"""A console into one database, run in the server's pod. The login comes by the environment.

Arguments: port, the folder of pymongo, then a command and its words; without them commands are read line by line.
JSON is MongoDB's: {"_id": {"$oid": "…"}} for example.
"""

# `repl` and pymongo are there in the pod only:
# pyright: basic, reportMissingImports=false
from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

sys.path.append(sys.argv[2])
from bson import json_util
from bson.errors import BSONError
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from repl import ConsoleError, loop, perform, say

COMMANDS = """\
collections                        list the collections
find COLLECTION [FILTER]           show documents: all, or those that match, as {"text": "a"} does
count COLLECTION [FILTER]          number of documents
insert COLLECTION DOCUMENT         store a document
update COLLECTION FILTER CHANGE    change all that match, as {"$set": {"text": "b"}} says
delete COLLECTION FILTER           remove all that match; {} matches all
run COMMAND                        a command of the database, {"buildInfo": 1} for example
help                               this list; FILTER, DOCUMENT, CHANGE and COMMAND are JSON"""
FREE = frozenset({"collections", "run", "help"})
"""Commands that name no collection."""


class Console:
    """The database of one relation."""

    def __init__(self, database: Any) -> None:
        self.database = database

    def do(self, words: Sequence[str]) -> None:
        """Do one command: a line as it was typed, or words, of which JSON is one or several."""
        name, _, text = " ".join(words).strip().partition(" ")
        if name in ("exit", "quit"):
            raise EOFError
        if not name:
            return
        named: list[Any] = [name]
        if name not in FREE:
            collection, _, text = text.strip().partition(" ")
            named += [collection] if collection else []
        try:
            perform(self, COMMANDS, named + documents(text))
        except OperationFailure as error:
            raise ConsoleError((error.details or {}).get("errmsg") or str(error)) from None
        except (PyMongoError, BSONError, ValueError, TypeError, OverflowError) as error:
            raise ConsoleError(" ".join(str(error).split())[:300]) from None

    def do_collections(self) -> None:
        """List the collections."""
        for name in sorted(self.database.list_collection_names()):
            say(name)

    def do_find(self, collection: str, query: Any = None) -> None:
        """Show documents, one a line."""
        for document in self.database[collection].find(query):
            show(document)

    def do_count(self, collection: str, query: Any = None) -> None:
        """Count documents."""
        answer = self.database.command("count", collection, query=query or {})
        say(str(answer["n"]))

    def do_insert(self, collection: str, document: Any) -> None:
        """Store a document and show its id."""
        show({"_id": self.database[collection].insert_one(document).inserted_id})

    def do_update(self, collection: str, query: Any, change: Any) -> None:
        """Change documents."""
        done = self.database[collection].update_many(query, change)
        say(f"{done.matched_count} matched, {done.modified_count} changed")

    def do_delete(self, collection: str, query: Any) -> None:
        """Remove documents."""
        say(f"{self.database[collection].delete_many(query).deleted_count} removed")

    def do_run(self, command: Any) -> None:
        """Show what a command answers."""
        show(self.database.command(command))


def documents(text: str) -> list[Any]:
    """Return the JSON objects that a text consists of.

    Raises:
        ConsoleError: it consists of something else.
    """
    decoder, found = json.JSONDecoder(object_pairs_hook=json_util.object_pairs_hook), []
    text = text.strip()
    while text:
        try:
            document, end = decoder.raw_decode(text)
        except (ValueError, TypeError, RecursionError, BSONError) as error:
            raise ConsoleError(f"{text[:40]!r} is not JSON: {error}") from None
        if not isinstance(document, dict):
            raise ConsoleError(f"{text[:end][:40]!r} is no object, " + 'as {"text": "a"} is')
        found.append(document)
        text = text[end:].lstrip()
    return found


def show(document: Any) -> None:
    """Write a document out as a line of JSON."""
    say(json_util.dumps(document, json_options=json_util.RELAXED_JSON_OPTIONS, ensure_ascii=False))


def main() -> int:
    """Do the command of the arguments, or those of standard input."""
    client = MongoClient(
        "127.0.0.1",
        int(sys.argv[1]),
        username=os.environ["MONGODB_USER"],
        password=os.environ["MONGODB_PASSWORD"],
        authSource="admin",
        directConnection=True,
        serverSelectionTimeoutMS=10_000,
    )
    database = os.environ["MONGODB_DATABASE"]
    with client:
        return loop(Console(client[database]).do, sys.argv[3:], prompt=f"{database}> ", intro=COMMANDS, raw=True)


if __name__ == "__main__":
    sys.exit(main())
