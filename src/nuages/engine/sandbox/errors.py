"""What can go wrong around namespaces and pods."""

from nuages.errors import NuagesError


class SandboxError(NuagesError):
    """A namespace, a root filesystem or a pod could not be made, entered or removed."""

    code = "sandbox"


class NamespacesError(SandboxError):
    """This kernel or this machine's policy refuses the namespaces that a model needs."""

    code = "no-namespaces"
