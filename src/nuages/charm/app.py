"""The charm: every event takes the same road, and deferred events are never used."""

import json
import logging
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

import ops
from ops import pebble

from nuages.charm import secret_key, statuses
from nuages.charm.apply import apply
from nuages.charm.decide import decide
from nuages.charm.facts import Added, Facts, SecretKey
from nuages.charm.gather import FORGETFUL, base_of, gather
from nuages.charm.statuses import Status
from nuages.charm.texts import pebble_reason
from nuages.charm.workload import Container

if TYPE_CHECKING:
    from nuages.charm.interfaces.base import Interface
    from nuages.charm.variables import Variable

logger = logging.getLogger(__name__)

ROUNDS = 6
"""Of gather, decide and apply in one hook: a migration, a start, a reload and a rotation's promotion each need one."""

LEVELS: Mapping[str, type[ops.StatusBase]] = {
    "active": ops.ActiveStatus,
    "waiting": ops.WaitingStatus,
    "blocked": ops.BlockedStatus,
    "maintenance": ops.MaintenanceStatus,
}

EXPLAIN = "nuages/explain"
"""Dispatch path by which the program `explain` of a charm asks for the environment: no hook has one like it."""

SILENT = (ops.ActionEvent, ops.CollectStatusEvent, ops.CollectMetricsEvent, ops.PreCommitEvent, ops.CommitEvent)
"""Events that do not go through `reconcile` by themselves."""


def hook_event(path: str) -> str:
    """Return the name that ops gives to the event of a hook: `config_changed` for `hooks/config-changed`."""
    folder, _, name = path.rpartition("/")
    return name.replace("-", "_") if folder.rpartition("/")[2] == "hooks" else ""


class DjangoCharm(ops.CharmBase):
    """Operates a Django application from a rock of the django-framework kind.

    A charm's own class may set `aliases` and `interfaces`, and define `extra_variables`.
    """

    aliases: ClassVar[Mapping[str, str]] = {}
    """Second names of variables: `{"DATABASE_URL": "POSTGRESQL_DB_CONNECT_STRING"}`."""
    interfaces: ClassVar[tuple["Interface", ...]] = ()
    """More relation interfaces that the charm requires, or other readings of known ones."""

    _memory = ops.StoredState()

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self._memory.set_default(related="")
        self._forgets = True
        events = self.on.events()
        # Observing costs the inspection of the handler each time, and only one of fifty events happens.
        happening = hook_event(os.environ.get("JUJU_DISPATCH_PATH", ""))
        for source in (events[happening],) if happening in events else events.values():
            if not issubclass(source.event_type, SILENT):
                framework.observe(source, self._on_event)
        for name, handler in (
            ("rotate-secret-key", self._on_rotate_secret_key),
            ("create-superuser", self._on_create_superuser),
        ):
            if name in self.meta.actions:
                framework.observe(self.on[name].action, handler)
        if os.environ.get("JUJU_DISPATCH_PATH") == EXPLAIN:
            self._explain()

    @staticmethod
    def extra_variables(facts: Facts, environment: Mapping[str, str]) -> Iterable["Variable"]:
        """Return more variables. They win over those of the same name.

        It must be pure: the same arguments, the same variables; no hook tools, no files, no time.

        Args:
            facts: everything that is known.
            environment: the variables so far, by name.
        """
        return ()

    def reconcile(self, event: str, key: SecretKey | None = None) -> None:
        """Bring everything to what it shall be. `key` is the secret key, when this hook has changed it already."""
        self._forgets = event in FORGETFUL
        container = Container(self.unit.get_container(base_of(self).container))
        shown: Status | None = None
        for _ in range(ROUNDS):
            try:
                facts = gather(self, event, key, self._related(), self._added())
                self._remember(facts.related)
            except pebble.Error as error:
                shown = statuses.PEBBLE_FAILED(error=pebble_reason(error))
                break
            outcome = apply(decide(facts), self, container, self._show_unit)
            key = outcome.key or key
            shown = outcome.status
            if not outcome.again:
                break
        if shown is not None:
            self._show_unit(shown)
            if self.unit.is_leader():
                self._show(self.app, shown)

    def _added(self) -> Added:
        return Added({each.name: each for each in self.interfaces}, self.aliases, self.extra_variables)

    def _related(self) -> frozenset[str] | None:
        """Return the endpoints that had a relation at the last event; None when nothing is remembered."""
        text = str(self._memory.related)
        return frozenset(text.split(",")) if text else None

    def _remember(self, related: frozenset[str]) -> None:
        text = ",".join(sorted(related))
        if text != self._memory.related:
            self._memory.related = text

    def _on_event(self, event: ops.EventBase) -> None:
        name = event.handle.kind
        if isinstance(event, ops.WorkloadEvent):
            name = name.removeprefix(event.workload.name.replace("-", "_") + "_")
        if isinstance(event, ops.SecretRemoveEvent) and event.secret.label == secret_key.LABEL:
            event.remove_revision()  # nobody reads an old key any more
        self.reconcile(name)

    def _show_unit(self, status: Status) -> None:
        self._show(self.unit, status)

    def _show(self, entity: ops.Unit | ops.Application, status: Status) -> None:
        """Set a status that is another one: reading costs less than writing, and Juju says since when it is so.

        An application's that was never set Juju makes up from its units', so that it has to be set once.
        """
        wanted = LEVELS[status.level](status.message)
        try:
            known = None if self._forgets else entity.status
        except KeyError:  # one that only Juju itself sets, and ops does not know
            known = None
        if known != wanted:
            entity.status = wanted

    def _on_rotate_secret_key(self, event: ops.ActionEvent) -> None:
        from nuages.charm import actions  # here, and so on: only these hooks pay for it

        facts = self._facts(event)
        if facts is None:
            return
        try:
            key = actions.rotate_secret_key(self, facts)
        except actions.Refused as error:
            event.fail(str(error))
            return
        self.reconcile("rotate_secret_key_action", key)
        event.set_results({"status": "success"})

    def _on_create_superuser(self, event: ops.ActionEvent) -> None:
        from nuages.charm import actions

        facts = self._facts(event)
        if facts is None:
            return
        container = Container(self.unit.get_container(facts.container))
        try:
            password = actions.create_superuser(container, facts, event.params)
        except actions.Refused as error:
            event.fail(str(error))
            return
        event.set_results({"password": password})

    def _facts(self, event: ops.ActionEvent) -> Facts | None:
        try:
            return gather(self, "action", added=self._added())
        except pebble.Error as error:
            event.fail(f"the workload container does not answer: {pebble_reason(error)}")
            return None

    def _explain(self) -> None:
        """Print the environment as JSON, each variable with its origin, secrets hidden: what `./explain` is for."""
        from nuages.charm.explain import explain

        print(json.dumps(explain(gather(self, "explain", added=self._added())), indent=2, ensure_ascii=False))  # noqa: T201  this is the command's output
