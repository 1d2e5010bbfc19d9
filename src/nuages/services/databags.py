"""What requirers put into databags, read without trusting a byte of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from nuages.services.driver import Refused

SECRETS = "requested-secrets"
"""The key of data_interfaces (version 0) with the fields that a requirer takes in secrets."""


def decoded(text: str) -> Any:
    """Return what a value in JSON says, None when it is none: also when it is nested deeper than can be read."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def requested_secrets(requirer: str, bag: Mapping[str, str]) -> frozenset[str]:
    """Return the fields that the application `requirer` wants in secrets; none of them: it takes all as plain text.

    Raises:
        Refused: it names them in another way than the interface does.
    """
    fields = decoded(bag.get(SECRETS) or "[]")
    if not isinstance(fields, list):
        raise Refused(f"{requirer} sent {SECRETS} that are not a JSON list")
    return frozenset(map(str, cast("list[object]", fields)))
