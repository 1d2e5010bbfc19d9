"""The actions that the extension contributes."""

from nuages.contract.row import NamedTuple


class Parameter(NamedTuple):
    """One parameter of an action."""

    name: str
    type: str
    required: bool
    description: str = ""


class Action(NamedTuple):
    """One action."""

    name: str
    description: str
    parameters: tuple[Parameter, ...] = ()


ROTATE_SECRET_KEY = Action(
    "rotate-secret-key",
    "Replace the key that signs sessions and tokens. Run it after a leak of the key.",
)

CREATE_SUPERUSER = Action(
    "create-superuser",
    "Create a Django user with all permissions and print the password made for it.",
    (Parameter("username", "string", True), Parameter("email", "string", True)),
)

ACTIONS = (ROTATE_SECRET_KEY, CREATE_SUPERUSER)
"""In charmcraft's order."""
