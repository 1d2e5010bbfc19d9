"""`python -m nuages.cli.daemon DIRECTORY`: the engine's daemon with the built-in applications."""

import sys
from pathlib import Path

from nuages.errors import NuagesError


def main() -> int:
    """Serve until told to stop; return the exit code."""
    from nuages.engine import serving
    from nuages.services import REGISTRY

    try:
        serving.main(REGISTRY, Path(sys.argv[1]))
    except NuagesError as error:
        # The command that started us reads these two lines from our log.
        print(f"error: {error}", f"fix:   {error.fix}", sep="\n", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
