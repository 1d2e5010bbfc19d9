"""What can go wrong while building."""

from nuages.errors import NuagesError


class BuildError(NuagesError):
    """A charm or rock could not be built."""

    code = "build"
