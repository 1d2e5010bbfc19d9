"""The addresses of a model's pods."""

from __future__ import annotations

from nuages.engine.pods.record import ModelRecord
from nuages.engine.sandbox.errors import SandboxError

FIRST, LAST = 2, 65533
"""The gateway has 10.77.0.1; the last ones of the range are nobody's."""


def next_index(record: ModelRecord, model: str) -> int:
    """Return the number of the next pod and note it; as on Kubernetes, a new pod has a new address.

    Raises:
        SandboxError: all are taken.
    """
    taken = {pod.index for pod in record.pods.values()}
    index = record.last_index
    for _ in range(LAST + 3):
        index = index + 1 if index < LAST else FIRST
        if index not in taken and index % 256 not in (0, 255):
            record.last_index = index
            return index
    raise SandboxError(f"cannot make a pod in {model}: all addresses are taken")


def address(index: int) -> str:
    """Return the address of the pod of this number."""
    return f"10.77.{index // 256}.{index % 256}"
