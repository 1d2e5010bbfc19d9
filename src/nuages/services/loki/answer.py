"""From what a charm publishes on loki_push_api to what is answered, and to the rules that the store evaluates. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from nuages.services.driver import Answer, Refused
from nuages.services.loki.files import alerts

ENDPOINT = "logging"
PUSH = "/loki/api/v1/push"


def unit(fqdn: str, port: int) -> dict[str, str]:
    """Return what the unit says: where to push to. A space after the colon, as in the charm's own."""
    return {"endpoint": json.dumps({"url": f"http://{fqdn}:{port}{PUSH}"}), "public_address": fqdn}


def answer(errors: Iterable[str]) -> Answer:
    """Return what the application says: no promtail to fetch, for Pebble itself sends; and what is wrong with rules."""
    found = "; ".join(errors)
    event = {"event": json.dumps({"valid": False, "errors": found})} if found else {}
    return Answer({"promtail_binary_zip_url": "{}"} | event)


def rules(application: str, bag: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Return the groups of alert rules of an application.

    Raises:
        Refused: they are no such thing.
    """
    try:
        document: object = json.loads(bag.get("alert_rules") or "{}")
    except (ValueError, RecursionError):
        raise Refused(f"{application}: alert_rules is no JSON") from None
    if not isinstance(document, dict):
        raise Refused(f"{application}: alert_rules is no mapping")
    groups = cast("dict[str, object]", document).get("groups")
    listed = cast("list[object]", groups) if isinstance(groups, list) else []
    return [cast("Mapping[str, Any]", group) for group in listed if isinstance(group, dict)]


def problems(groups: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what is wrong with each rule that cannot be evaluated; the store leaves those out."""
    read = alerts.read({"groups": list(groups)})
    return [f"alert rule {rule.name} is refused: {rule.problem}" for rule in read if rule.problem]
