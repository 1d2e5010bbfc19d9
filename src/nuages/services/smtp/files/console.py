"""A session with the mail catcher, run in its pod: sends commands, prints answers. The login comes by the environment.

Arguments: port, security (none, starttls or tls), then a command and its words; without them lines are read.
"""

# `repl` is beside it in the pod only:
# pyright: basic, reportMissingImports=false
from __future__ import annotations

import os
import smtplib
import ssl
import sys
from collections.abc import Sequence

from repl import ConsoleError, loop, say

INTRO = """\
You are logged in. A mail: MAIL FROM:<you@example.com>, RCPT TO:<me@example.com>, DATA, its lines, one with only a dot.
QUIT ends."""


class Console:
    """A session, logged in."""

    def __init__(self, port: int, security: str) -> None:
        context = ssl._create_unverified_context()  # noqa: S323  # the catcher's own, and within its pod
        if security == "tls":
            self.session: smtplib.SMTP = smtplib.SMTP_SSL("127.0.0.1", port, context=context, timeout=30)
        else:
            self.session = smtplib.SMTP("127.0.0.1", port, timeout=30)
        if security == "starttls":
            self.session.starttls(context=context)
        self.session.login(os.environ["SMTP_USER"], os.environ["SMTP_PASSWORD"])
        self.writing = False

    def do(self, words: Sequence[str]) -> None:
        """Send a line; print the answer, of which there is none within a mail."""
        line = " ".join(words)
        self.session.send(f"{line}\r\n".encode())
        if self.writing and line != ".":
            return
        code, text = self.session.getreply()
        self.writing = code == 354
        answer = text.decode(errors="replace")
        if code >= 400:
            raise ConsoleError(f"{code} {answer}")
        say(f"{code} {answer}")
        if code == 221:
            raise EOFError


def main() -> int:
    """Send the command of the arguments, or the lines of standard input."""
    try:
        console = Console(int(sys.argv[1]), sys.argv[2])
    except (smtplib.SMTPException, OSError) as error:
        sys.exit(f"cannot log in: {error}")
    try:
        return loop(console.do, sys.argv[3:], prompt="smtp> ", intro=INTRO, raw=True)
    except smtplib.SMTPException as error:
        sys.exit(f"cannot go on: {error}")


if __name__ == "__main__":
    sys.exit(main())
