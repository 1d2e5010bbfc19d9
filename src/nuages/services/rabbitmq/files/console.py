"""A console into one virtual host, run in the broker's pod. The login comes by the environment.

Arguments: port, the folder of pika, then a command and its words; without them commands are read line by line.
"""

# `repl` and pika are there in the pod only:
# pyright: basic, reportMissingImports=false
from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from repl import ConsoleError, loop, perform, say

COMMANDS = """\
count QUEUE       number of messages that wait, and of consumers
get QUEUE [N]     show the first message, or the first N; they stay, marked as delivered before
take QUEUE        show the first message and remove it
put QUEUE TEXT    append a message, which outlives a restart if the queue does
purge QUEUE       remove all messages that wait
help              this list"""
LONGEST = 9
"""Digits of a number of messages."""


class Console:
    """The virtual host of one relation; each command connects anew, so that it outlives the broker's restart."""

    def __init__(self, port: int, pika: Any) -> None:
        self.pika = pika
        login = pika.PlainCredentials(os.environ["AMQP_USER"], os.environ["AMQP_PASSWORD"])
        self.parameters = pika.ConnectionParameters(
            "127.0.0.1",
            port,
            os.environ["AMQP_VHOST"],
            login,
            socket_timeout=10,
            stack_timeout=15,
            blocked_connection_timeout=10,
        )

    def do(self, words: Sequence[str]) -> None:
        """Do one command."""
        try:
            perform(self, COMMANDS, words)
        except self.pika.exceptions.UnroutableError:
            raise ConsoleError("there is no such queue") from None
        except self.pika.exceptions.AMQPError as error:
            raise ConsoleError(_reason(error)) from None

    def do_count(self, queue: str) -> None:
        """Say how full a queue is."""
        with self.channel() as channel:
            found = _asked(channel, queue)
            say(f"{found.message_count} messages, {found.consumer_count} consumers")

    def do_get(self, queue: str, number: str = "1") -> None:
        """Show messages; those that are not acknowledged go back to where they were."""
        if not (number.isascii() and number.isdecimal() and len(number) <= LONGEST):
            raise ConsoleError(f"N is {number[:40]!r}: it is a number of messages")
        with self.channel() as channel:
            for _ in range(int(number)):
                method, _, body = channel.basic_get(queue)
                if method is None:
                    return
                say(_text(body))

    def do_take(self, queue: str) -> None:
        """Show a message, then remove it."""
        with self.channel() as channel:
            method, _, body = channel.basic_get(queue)
            if method is None:
                raise ConsoleError("the queue is empty")
            say(_text(body))
            channel.basic_ack(method.delivery_tag)

    def do_put(self, queue: str, text: str) -> None:
        """Append a message and wait until the broker has it."""
        with self.channel() as channel:
            channel.confirm_delivery()
            body = text.encode(errors="surrogateescape")
            persistent = self.pika.BasicProperties(delivery_mode=2)
            channel.basic_publish("", queue, body, persistent, mandatory=True)

    def do_purge(self, queue: str) -> None:
        """Empty a queue."""
        with self.channel() as channel:
            say(f"{channel.queue_purge(queue).method.message_count} messages removed")

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """Give a channel of a connection that ends with the block."""
        connection = self.pika.BlockingConnection(self.parameters)
        try:
            yield connection.channel()
        finally:
            if connection.is_open:
                connection.close()


def _asked(channel: Any, queue: str) -> Any:
    return channel.queue_declare(queue, passive=True).method


def _text(body: bytes) -> str:
    return body.decode(errors="backslashreplace")


def _reason(error: Any) -> str:
    if hasattr(error, "reply_code"):
        return f"{error.reply_code} {error.reply_text}"
    # Why there is no connection is what its cause says, or its first argument.
    return " ".join(str(error.args[0] if error.args else type(error).__name__).split())


def main() -> int:
    """Do the command of the arguments, or those of standard input."""
    sys.path.append(sys.argv[2])
    logging.disable(logging.CRITICAL)  # it tells with many lines what the error tells with one
    import pika
    import pika.exceptions

    return loop(Console(int(sys.argv[1]), pika).do, sys.argv[3:], prompt="rabbitmq> ", intro=COMMANDS)


if __name__ == "__main__":
    sys.exit(main())
