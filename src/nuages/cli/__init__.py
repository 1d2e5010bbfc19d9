"""The commands. `main` is the console script; each command is a module of its own, imported when it is called."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command that the process was called with, and leave with its exit code."""
    try:
        from nuages.cli.root import run

        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:  # before a command was found, or while it said goodbye
        sys.exit(130)
