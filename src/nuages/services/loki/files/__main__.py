"""The log store's program. Arguments: its folder, with settings.json and rules.json, and the port."""

# `related` is beside the package in the pod only:
# pyright: basic, reportMissingImports=false
from __future__ import annotations

import sys
from pathlib import Path

from related import Pods

from . import server

if __name__ == "__main__":
    server.main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Pods().application)
