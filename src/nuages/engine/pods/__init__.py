"""Pods: a unit's containers, each with the real Pebble as PID 1, in the model's own namespaces."""

from nuages.engine.pods.model import Model
from nuages.engine.pods.pod import Container, Pod
from nuages.engine.pods.spec import ContainerSpec, PodSpec
from nuages.engine.sandbox.users import Mode

__all__ = ["Container", "ContainerSpec", "Mode", "Model", "Pod", "PodSpec"]
