"""What Debian, Juju and the tools of Canonical call this machine's processor."""

from __future__ import annotations

import platform
from collections.abc import Mapping

ARCHITECTURES: Mapping[str, str] = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "armhf",
    "i686": "i386",
    "ppc64le": "ppc64el",
    "riscv64": "riscv64",
    "s390x": "s390x",
}
"""By what the kernel calls it."""

TRIPLETS: Mapping[str, str] = {
    "amd64": "x86_64-linux-gnu",
    "arm64": "aarch64-linux-gnu",
    "armhf": "arm-linux-gnueabihf",
    "i386": "i386-linux-gnu",
    "ppc64el": "powerpc64le-linux-gnu",
    "riscv64": "riscv64-linux-gnu",
    "s390x": "s390x-linux-gnu",
}
"""Architecture to the name of its folders of libraries."""


def architecture() -> str:
    """Return this machine's architecture, `amd64`; of an unknown one what the kernel says."""
    machine = platform.machine()
    return ARCHITECTURES.get(machine, machine)
