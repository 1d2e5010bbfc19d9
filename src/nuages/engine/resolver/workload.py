"""Hooks that follow from what Pebble says: it came up, a notice was made, a check changed."""

from __future__ import annotations

from nuages.engine.resolver.view import View
from nuages.engine.state import Hook


def workload(view: View) -> Hook | None:
    """pebble-ready of each container that booted since the last one, then notices, oldest first.

    Juju's agent asks Pebble every five seconds, so its charms meet pebble-ready after start; ours does, always.
    """
    if not view.local.started or view.local.start_due or view.dying:
        return None
    for container in view.charm.containers:
        boot_id = view.observed.boot_ids.get(container.name, "")
        if boot_id and boot_id != view.local.ready.get(container.name):
            return Hook("pebble-ready", container=container.name, boot_id=boot_id)
    for notice in sorted(view.observed.notices, key=lambda notice: notice.at):
        if notice.container in view.observed.boot_ids and notice.at > view.local.notices.get(notice.container, ""):
            return Hook(
                notice.kind,
                container=notice.container,
                notice=notice.id,
                notice_type=notice.type,
                notice_key=notice.key,
                notice_at=notice.at,
                check=notice.check,
            )
    return None
