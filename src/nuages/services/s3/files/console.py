"""A console into one bucket, run in the store's pod. Keys come by the environment.

Arguments: a command and its words, else commands are read line by line.
"""

# `repl` and `s3` are beside it in the pod only:
# pyright: basic, reportMissingImports=false
from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from repl import ConsoleError, loop, say
from s3 import Client, S3Error

COMMANDS = """\
ls [PREFIX]              list objects: size, time, key
get KEY                  write an object to standard output
put KEY                  store standard input as an object
rm KEY                   remove an object
presign KEY [SECONDS]    print a URL that fetches it without keys for an hour, or so many seconds
help                     this list"""
LIMITS = {"ls": (0, 1), "get": (1, 1), "put": (1, 1), "rm": (1, 1), "presign": (1, 2), "help": (0, 0)}
"""Least and most words after each command."""
WEEK = 604_800
"""The longest time that a signature may last, in seconds."""


class Console:
    """The bucket of one relation."""

    def __init__(self, client: Client, bucket: str, public: str) -> None:
        self.client = client
        self.bucket = bucket
        self.public = public

    def do(self, words: Sequence[str]) -> None:
        """Do one command."""
        name, *rest = words
        if name not in LIMITS:
            raise ConsoleError(f"there is no such command: {', '.join(LIMITS)}")
        low, high = LIMITS[name]
        if not low <= len(rest) <= high:
            raise ConsoleError("it is: " + next(line for line in COMMANDS.splitlines() if line.startswith(name)))
        try:
            getattr(self, f"do_{name}")(*rest)
        except S3Error as error:
            raise ConsoleError(str(error)) from None

    def do_help(self) -> None:
        """Show the commands."""
        say(COMMANDS)

    def do_ls(self, prefix: str = "") -> None:
        """List all objects below a prefix."""
        for size, when, key in self._objects(prefix):
            say(f"{size:>12}  {when}  {key}")

    def do_get(self, key: str) -> None:
        """Write an object out as it comes."""
        answer = self.client.request("GET", f"/{self.bucket}/{key}")
        while data := answer.read(1 << 16):
            sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def do_put(self, key: str) -> None:
        """Store what standard input has."""
        data = sys.stdin.buffer.read()
        self.client.request("PUT", f"/{self.bucket}/{key}", body=data).read()
        say(f"stored {len(data)} bytes as {key}")

    def do_rm(self, key: str) -> None:
        """Remove an object."""
        self.client.request("DELETE", f"/{self.bucket}/{key}").read()

    def do_presign(self, key: str, seconds: str = "3600") -> None:
        """Show a URL for a browser."""
        if not seconds.isdecimal() or not 0 < int(seconds) <= WEEK:
            raise ConsoleError(f"SECONDS is {seconds!r}: it is a number from 1 to {WEEK}")
        client = Client(self.public, self.client.access, self.client.secret, self.client.region)
        say(client.presigned(f"/{self.bucket}/{key}", int(seconds)))

    def _objects(self, prefix: str) -> Iterator[tuple[str, str, str]]:
        query = {"list-type": "2", "prefix": prefix}
        while True:
            text = self.client.request("GET", f"/{self.bucket}", query).read()
            tree = ElementTree.fromstring(text)  # noqa: S314  # the store's own answer
            named = {element.tag.rpartition("}")[2]: element.text or "" for element in tree}
            for element in tree:
                if element.tag.endswith("Contents"):
                    item = {field.tag.rpartition("}")[2]: field.text or "" for field in element}
                    yield item["Size"], item["LastModified"], item["Key"]
            if not named.get("NextContinuationToken"):
                return
            query["continuation-token"] = named["NextContinuationToken"]


def main() -> int:
    """Do the command of the arguments, or those of standard input."""
    endpoint, access, secret, region, bucket, public = (
        os.environ[name]
        for name in (
            "AWS_ENDPOINT_URL",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_REGION",
            "BUCKET",
            "PUBLIC_URL",
        )
    )
    client = Client(endpoint, access, secret, region, os.environ.get("AWS_CA_BUNDLE", ""))
    console = Console(client, bucket, public)
    return loop(console.do, sys.argv[1:], prompt=f"{bucket}> ", intro=COMMANDS)


if __name__ == "__main__":
    sys.exit(main())
