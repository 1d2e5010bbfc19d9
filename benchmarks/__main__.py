"""Run all benchmarks, or those named: `python -m benchmarks check pack up status load memory dispatch`.

The others are `changes`, `servers` and `gate`.

`cold` downloads some hundred megabytes, and runs only when it is named.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks import measures
from benchmarks.changes import changes
from benchmarks.dispatch import dispatch
from benchmarks.gate import gate
from benchmarks.packing import pack
from benchmarks.servers import cold, servers
from tests.e2e.world import EXAMPLE, World

ALL = {**measures.ALL, "pack": pack, "dispatch": dispatch, "changes": changes, "servers": servers, "gate": gate}
NAMED = {**ALL, "cold": cold}
"""With those that run only when they are named."""


def main() -> int:
    chosen = sys.argv[1:] or list(ALL)
    unknown = [name for name in chosen if name not in NAMED]
    if unknown:
        print(f"error: cannot measure {unknown[0]}: known are {', '.join(NAMED)}", file=sys.stderr)
        return 2
    home = Path(tempfile.mkdtemp(prefix="nu-bench-", dir="/tmp"))
    project = home / "notes"
    shutil.copytree(EXAMPLE, project)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("JUJU_", "NUAGES_"))}
    world = World(project=project, environment={**environment, "XDG_STATE_HOME": str(home / "s")})
    try:
        for name in chosen:
            print(f"\n{name}: {NAMED[name].__doc__}", flush=True)
            for line in NAMED[name](world):
                print(f"  {line}", flush=True)
    finally:
        world.nuages("down", "--purge", check=False)
        shutil.rmtree(home)
    return 0


if __name__ == "__main__":
    sys.exit(main())
