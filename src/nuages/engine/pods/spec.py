"""What a pod is asked to be."""

from __future__ import annotations

from dataclasses import dataclass

from nuages.engine.sandbox.image import Image, Mount


@dataclass(frozen=True)
class ContainerSpec:
    """One workload container; `volumes` are writable host directories that outlive the pod."""

    name: str
    image: Image
    volumes: tuple[Mount, ...] = ()


@dataclass(frozen=True)
class PodSpec:
    """One unit's pod; `fqdn` and `aliases` resolve to its address in the whole model."""

    unit: str
    containers: tuple[ContainerSpec, ...]
    fqdn: str
    aliases: tuple[str, ...] = ()
