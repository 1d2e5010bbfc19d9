"""The value of an integration in which we are the provider: nothing follows from it for the application."""

from nuages.charm.variables import Variable
from nuages.contract.row import NamedTuple


class Provided(NamedTuple):
    """Somebody takes what we publish."""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """None."""
        return ()


PROVIDED = Provided()
