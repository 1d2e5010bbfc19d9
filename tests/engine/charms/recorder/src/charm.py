"""Records what happens to it: each event is a line of the debug-log; options make it fail, wait or write."""

import os
import pathlib
import time

import ops


class Recorder(ops.CharmBase):
    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        hook = os.environ["JUJU_DISPATCH_PATH"].partition("/")[2]
        unit, app = os.environ.get("JUJU_REMOTE_UNIT", ""), os.environ.get("JUJU_REMOTE_APP", "")
        ops.model.logging.getLogger("recorder").info("EVENT %s%s", hook, f" {unit or app}" if app else "")
        for event in self.on.events().values():
            framework.observe(event, self._on_event)

    def _on_event(self, event: ops.EventBase):
        if isinstance(event, ops.LifecycleEvent | ops.CollectStatusEvent):
            return
        if isinstance(event, ops.ActionEvent):
            event.set_results({"greeting": f"hello {event.params['name']}", "leader": self.unit.is_leader()})
            return
        if isinstance(event, ops.RelationEvent) and not isinstance(event, ops.RelationBrokenEvent):
            event.relation.data[self.unit]["said"] = str(self.config["say"])
            if self.unit.is_leader():
                event.relation.data[self.app]["told"] = str(self.config["say"])
        self.unit.status = ops.ActiveStatus(f"said {self.config['say']}")
        if self.config["fail-on"] == os.environ["JUJU_HOOK_NAME"]:
            raise RuntimeError("as configured")
        if self.config["wait-on"] == os.environ["JUJU_HOOK_NAME"]:
            (pathlib.Path("waiting")).touch()
            while not pathlib.Path("go").exists():
                time.sleep(0.05)


if __name__ == "__main__":
    ops.main(Recorder)
