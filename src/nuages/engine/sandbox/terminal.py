"""Interactive commands: `interactive` builds the command, and as a program this module lends it a terminal.

A terminal cannot be handed into other pid namespaces whole: job control needs a session whose leader is inside. So the
program makes a terminal of its own, gives it to the command, and carries bytes and window sizes between the two.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import tty
from collections.abc import Mapping, Sequence


def interactive(
    enter: Sequence[str], argv: Sequence[str], environment: Mapping[str, str], *, tty: bool, inherit: bool = False
) -> list[str]:
    """Return the command to execute on the host: `enter` joins the container, `argv` runs there with `environment`.

    TERM is the caller's; with `inherit` all that the caller has is there too.
    """
    settings = [f"{name}={value}" for name, value in environment.items()]
    script = f'exec /usr/bin/env {"" if inherit else "-i"} TERM="${{TERM:-dumb}}" "$@"'
    inside = ["/usr/bin/sh", "-c", script, "sh", *settings, *argv]
    if not tty:
        return [*enter, *inside]
    return [sys.executable, "-I", "-S", __file__, *enter, "/usr/bin/setsid", "--ctty", "--wait", *inside]


def main(argv: Sequence[str]) -> int:
    """Run a command on a terminal of its own, connected to ours, and return its exit code."""
    ours, theirs = pty.openpty()

    def resize(*_: object) -> None:
        with contextlib.suppress(OSError):
            fcntl.ioctl(ours, termios.TIOCSWINSZ, fcntl.ioctl(0, termios.TIOCGWINSZ, b"\0" * 8))

    resize()
    signal.signal(signal.SIGWINCH, resize)
    before = termios.tcgetattr(0) if os.isatty(0) else None
    child = subprocess.Popen(list(argv), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    try:
        if before:
            tty.setraw(0, termios.TCSADRAIN)
        _carry(ours, child)
    finally:
        if before:
            termios.tcsetattr(0, termios.TCSADRAIN, before)
        os.close(ours)
    code = child.wait()
    return code if code >= 0 else 128 - code


def _carry(ours: int, child: subprocess.Popen[bytes]) -> None:
    # Not until the terminal is closed: what the command left behind may keep that open for ever.
    sources = [0, ours]
    while True:
        ended = child.poll() is not None
        ready = select.select([ours] if ended else sources, [], [], 0 if ended else 0.1)[0]
        if ended and not ready:
            return
        for source in ready:
            try:
                data = os.read(source, 65536)
            except OSError:  # EIO: nobody has the other end open any more
                data = b""
            if source == ours:
                if not data:
                    return
                os.write(1, data)
            elif data:
                os.write(ours, data)
            else:
                sources.remove(0)
                os.write(ours, b"\x04")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
