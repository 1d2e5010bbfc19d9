"""What depends on the base: one row per Ubuntu series that the extension knows."""

from nuages.contract.layout import CLASSIC as CLASSIC_LAYOUT
from nuages.contract.layout import MODERN as MODERN_LAYOUT
from nuages.contract.layout import Layout
from nuages.contract.options import BUILT_IN_VARIABLES, CLASSIC, MODERN, MODERN_VARIABLES, Option
from nuages.contract.row import NamedTuple


class Base(NamedTuple):
    """One base of a charm and of its rock."""

    name: str
    """`ubuntu@24.04`."""
    channel: str
    """`24.04`."""
    python: str
    """The series' own Python: `3.12`."""
    container: str
    resource: str
    peer: str
    """Name of the peer endpoint."""
    peer_interface: str
    options: tuple[Option, ...]
    secret_key_option: str
    """Option with the secret key as text; "" when the base has none."""
    secret_key_id_option: str
    """Option of type secret with the secret key."""
    variables: dict[str, str]
    """Variables the charm sets itself: name to where it comes from."""
    layout: Layout
    """Where things are in its rock."""
    experimental: bool = False
    """Needs `CHARMCRAFT_ENABLE_EXPERIMENTAL_EXTENSIONS`."""


def _classic(channel: str, python: str) -> Base:
    return Base(
        name="ubuntu@" + channel,
        channel=channel,
        python=python,
        container="django-app",
        resource="django-app-image",
        peer="secret-storage",
        peer_interface="secret-storage",
        options=CLASSIC,
        secret_key_option="django-secret-key",  # noqa: S106  an option's name
        secret_key_id_option="django-secret-key-id",  # noqa: S106  an option's name
        variables=BUILT_IN_VARIABLES,
        layout=CLASSIC_LAYOUT,
    )


BASES = (
    _classic("22.04", "3.10"),
    _classic("24.04", "3.12"),
    Base(
        name="ubuntu@26.04",
        channel="26.04",
        python="3.14",
        container="app",
        resource="app-image",
        peer="peers",
        peer_interface="peers",
        options=MODERN,
        secret_key_option="",
        secret_key_id_option="app-secret-key",  # noqa: S106  an option's name
        variables={**BUILT_IN_VARIABLES, **MODERN_VARIABLES},
        layout=MODERN_LAYOUT,
        experimental=True,
    ),
)

BY_NAME = {base.name: base for base in BASES}

BY_CONTAINER = {"django-app": BASES[1], "app": BASES[2]}
"""For the run time, which knows its base by the container in its metadata (22.04 and 24.04 are alike there)."""

EXTENSION = "django-framework"

ASSUMES = ("k8s-api",)
