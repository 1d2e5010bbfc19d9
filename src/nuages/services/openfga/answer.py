"""From a requirer's databag to the provider's, on the interface openfga (version 1). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nuages.services.driver import Answer, Refused
from nuages.services.openfga.server import GRPC, HTTP

ENDPOINT = "openfga"
TOKEN_SECRET = "token_secret_id"  # noqa: S105  # the name of a databag key
TOKEN = "token"  # noqa: S105  # the name of a secret's field

_NAME = re.compile(r"[a-zA-Z0-9 .\-/^_&@]{3,64}")
"""OpenFGA's own rule for the name of a store."""


def parse(requirer: str, bag: Mapping[str, str]) -> str:
    """Return the name of the store that the application `requirer` asks for, "" while it has not asked.

    As on Charmhub, another name at any time is another store, and one name of two requirers is one store.

    Raises:
        Refused: no store can have this name.
    """
    name = bag.get("store_name", "")
    if name and not _NAME.fullmatch(name):
        raise Refused(f"{requirer} asks for a store that cannot be named {name!r:.80}")
    return name


def answer(application: str, model: str, store: str, token: str) -> Answer:
    """Return the provider's databag for a store that exists; `store` is its id."""
    host = f"{application}.{model}"
    databag = {
        "grpc_api_url": f"http://{host}:{GRPC}",
        "http_api_url": f"http://{host}:{HTTP}",
        "store_id": store,
    }
    return Answer(databag, {TOKEN_SECRET: {TOKEN: token}})
