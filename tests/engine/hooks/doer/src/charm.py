"""Does what its option says with the ops library, and writes down what it found."""

import json
import os
import pathlib

import ops


class Doer(ops.CharmBase):
    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        for event in self.on.events().values():
            framework.observe(event, self._on_event)

    def _on_event(self, event: ops.EventBase):
        if isinstance(event, ops.LifecycleEvent | ops.CollectStatusEvent):
            return
        found = {"event": str(event.handle.kind), "hook": os.environ["JUJU_HOOK_NAME"]}
        try:
            exec(self.config["do"], {"self": self, "event": event, "found": found, "ops": ops})
        finally:
            pathlib.Path("found.json").write_text(json.dumps(found, default=str))


if __name__ == "__main__":
    ops.main(Doer)
