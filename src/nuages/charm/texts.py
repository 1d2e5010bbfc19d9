"""What a program said last, made fit for a status."""

from collections.abc import Sequence

TRACEBACK = "Traceback (most recent call last)"
COMMAND = "CommandError: "
"""With what manage.py tells that a command has failed; its words may go on in further lines."""


def last_error(lines: Sequence[str]) -> str:
    """Return the line that ends the last traceback, `ModuleNotFoundError: No module named 'x'`; "" without one.

    The first line of a management command's own error counts as well.
    """
    found = (index for index, line in enumerate(lines) if TRACEBACK in line or line.startswith(COMMAND))
    start = max(found, default=-1)
    if start < 0:
        return ""
    if TRACEBACK not in lines[start]:
        return lines[start].strip()
    for line in lines[start + 1 :]:
        if line.strip() and not line.startswith((" ", "\t")):
            return line.strip()
    return ""


def last_line(text: str) -> str:
    """Return the end of the last traceback in a text, else its last line with something in it."""
    lines = text.splitlines()
    return last_error(lines) or next((line.strip() for line in reversed(lines) if line.strip()), "")


def pebble_reason(error: Exception) -> str:
    """Return what Pebble's error says, without the log that follows in some."""
    lines = [line.strip(" -") for line in str(error).splitlines() if line.strip(" -")]
    if len(lines) > 1 and lines[0].startswith("cannot perform the following tasks"):
        return lines[1]
    return lines[0] if lines else type(error).__name__
