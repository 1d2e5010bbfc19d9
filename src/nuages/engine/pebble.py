"""What the agent asks Pebble: which boot it is, what it has to tell, whether it is ready.

Everything here blocks and is meant for `Container.call`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import ops.pebble
from ops.pebble import CheckLevel, CheckStatus

from nuages.engine.resolver import Notice

POLL_SECONDS = 30
FRACTION = re.compile(r"(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$")
CHECKS: dict[tuple[str, str], Literal["pebble-check-failed", "pebble-check-recovered"]] = {
    ("perform-check", "Error"): "pebble-check-failed",
    ("recover-check", "Done"): "pebble-check-recovered",
}


def boot_id(client: ops.pebble.Client) -> str:
    """Return the id of Pebble's present life."""
    answer: Mapping[str, Any] = _get(client, "/v1/system-info", {})
    return str(answer["result"]["boot-id"])


def notices(client: ops.pebble.Client, container: str, after: str) -> tuple[list[Notice], str]:
    """Wait for notices that were repeated after `after`; return those that hooks follow from, and the newest time.

    Returns when there is one, or after half a minute with none.
    """
    client.timeout = POLL_SECONDS + 10
    query = {"timeout": f"{POLL_SECONDS}s", "users": "all"}
    if after:
        query["after"] = after
    answer = _get(client, "/v1/notices", query)
    found: list[Notice] = []
    newest = after
    for raw in answer.get("result") or ():
        at = sortable(str(raw["last-repeated"]))
        newest = max(newest, at)
        notice = _notice(client, container, raw, at)
        if notice is not None:
            found.append(notice)
    return found, newest


def ready(client: ops.pebble.Client) -> bool:
    """Return whether no check of level ready is down: what a readiness probe of Kubernetes asks."""
    checks = client.get_checks(level=CheckLevel.READY)
    return all(check.status is not CheckStatus.DOWN for check in checks)


def refresh(client: ops.pebble.Client, check: str) -> str:
    """Run a check now instead of at its next period; return why it failed, "" when it did not.

    Pebble counts it like any other run of the check (POST /v1/checks/refresh, since Pebble 1.27).
    """
    # ops has no public method for it
    answer = client._request("POST", "/v1/checks/refresh", body={"name": check})  # pyright: ignore[reportPrivateUsage]
    return str(answer["result"].get("error") or "")


def sortable(time: str) -> str:
    """Return an RFC 3339 time with nine decimals, so that text order is time order."""
    match = FRACTION.search(time)
    if match is None:
        return time
    return f"{time[: match.start()]}.{(match[1] or '').ljust(9, '0')}{match[2]}"


def _notice(client: ops.pebble.Client, container: str, raw: Mapping[str, Any], at: str) -> Notice | None:
    kind, key = str(raw["type"]), str(raw["key"])
    if kind == "custom":
        return Notice(container, "pebble-custom-notice", str(raw["id"]), kind, key, at)
    if kind != "change-update":
        return None
    data: Mapping[str, Any] = raw.get("last-data") or {}
    change_kind = str(data.get("kind", ""))
    if change_kind not in ("perform-check", "recover-check"):
        return None
    try:
        change = client.get_change(ops.pebble.ChangeID(key))
    except ops.pebble.APIError as error:
        if error.code == 404:
            return None
        raise
    hook = CHECKS.get((change_kind, change.status))
    check = str(data.get("check-name", ""))
    return Notice(container, hook, str(raw["id"]), kind, key, at, check) if hook and check else None


def _get(client: ops.pebble.Client, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
    # ops has neither the boot id nor the long poll among its public methods
    return client._request("GET", path, dict(query))  # pyright: ignore[reportPrivateUsage]
