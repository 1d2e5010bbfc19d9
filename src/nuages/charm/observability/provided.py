"""The value of an integration in which we are the provider: nothing follows from it for the application."""

from typing import NamedTuple

from nuages.charm.variables import Variable


class Provided(NamedTuple):
    """Somebody takes what we publish."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """None."""
        return ()


PROVIDED = Provided()
