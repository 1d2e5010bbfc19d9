"""Waiting for the page itself, and what is worth a word about one that is none."""

from __future__ import annotations

import time
from urllib.parse import urljoin, urlsplit

from nuages.cli.diagnosis.browser import Browser
from nuages.cli.diagnosis.observations import Visit

FIRST_PATIENCE = 4.0
LONGEST_PATIENCE = 30.0
NOT_YET = (502, 503, 504)


def wait(url: str, *, seconds: float) -> Visit:
    """Open the page, following redirects, until it is one for good or the seconds are over."""
    deadline = time.monotonic() + seconds
    # A request that ingress sent to the address of a pod that is no more is never answered: do not wait for it long.
    patience = FIRST_PATIENCE
    while True:
        visit, _ = Browser(url, patience=patience).visit("front", "")
        patience = min(patience * 2, LONGEST_PATIENCE)
        if not may_change(visit) or time.monotonic() > deadline:
            return visit
        time.sleep(0.2)


def may_change(visit: Visit) -> bool:
    """Whether it may yet become a page, because a route or a worker was only just made."""
    return bool(visit.last.failure) or visit.last.status in NOT_YET or "no-route" in visit.last.marks


def remark(visit: Visit) -> str:
    """Return a note about an answer that is no page and no fault, "" when there is nothing to say."""
    last = visit.last
    path = urlsplit(last.url).path or "/"
    if 300 <= last.status < 400 and last.location:
        return f"it redirects to {urljoin(last.url, last.location)}"
    if last.status == 404:
        return f"it has no page at {path} (404)"
    return f"it answers {last.status} at {path}" if last.status >= 400 else ""
