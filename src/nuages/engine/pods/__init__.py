"""Pods: a unit's containers, each with the real Pebble as PID 1, in the model's own namespaces."""

from nuages.engine.pods.spec import ContainerSpec, PodSpec

__all__ = ["ContainerSpec", "PodSpec"]
