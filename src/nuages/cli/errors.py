"""The command line's own errors."""

from nuages.errors import NuagesError


class CliError(NuagesError):
    """A command cannot do what it was asked to."""

    code = "cli"
