"""Programs that run inside the workload container, with the rock's own Python and nothing but its standard library.

They are sent there as text. What they print is their answer.
"""

from pathlib import Path


def text(name: str) -> str:
    """Return the source of one of the programs beside this file: `survey`, `load`, `migrate`."""
    return Path(__file__).with_name(name + ".py").read_text(encoding="utf-8")
