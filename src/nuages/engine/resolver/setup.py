"""A unit's own life: install, upgrade, configuration, start, storage, stop, remove, update-status."""

from __future__ import annotations

from nuages.engine.resolver.view import View
from nuages.engine.state import Hook


def queued(view: View) -> Hook | None:
    """What the last hook made the next one: nothing comes in between."""
    if view.local.queued and not view.dying:
        return Hook(view.local.queued)
    return None


def upgrade(view: View) -> Hook | None:
    """A new pod of an installed unit starts with upgrade-charm."""
    if view.local.installed and view.local.upgrade and not view.dying:
        return Hook("upgrade-charm")
    return None


def leadership(view: View) -> Hook | None:
    """leader-elected, once per term; losing leadership has no hook."""
    leads = view.application.leader == view.unit.name
    if view.local.installed and leads and not view.local.leader_elected and not view.dying:
        return Hook("leader-elected")
    return None


def storage(view: View) -> Hook | None:
    """On Kubernetes storage-attached comes after start."""
    if not view.local.started:
        return None
    if view.dying:
        return Hook("storage-detaching", storage=view.local.storage[0]) if view.local.storage else None
    missing = sorted(set(view.charm.storage) - set(view.local.storage))
    return Hook("storage-attached", storage=missing[0]) if missing else None


def lifecycle(view: View) -> Hook | None:
    """Install, then config-changed whenever the configuration or the address is not the one last told."""
    if view.dying:
        return None
    if not view.local.installed:
        return Hook("install")
    told = (view.local.config_version, view.local.config_address)
    if told != (view.application.config_version, view.unit.address):
        return Hook("config-changed")
    return None


def teardown(view: View) -> Hook | None:
    """Stop and remove, once every relation has been left."""
    if not view.dying or not view.local.installed or view.local.removed:
        return None
    if view.local.started and not view.local.stopped:
        return Hook("stop")
    return Hook("remove")


def update_status(view: View) -> Hook | None:
    """Only when nothing else is due."""
    due = view.local.started and not view.dying and view.observed.now >= view.local.update_status_at
    return Hook("update-status") if due else None
