"""A real daemon process with a state directory of its own, and its API."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nuages.engine.api.client import ApiError, Client, model_path

PROGRAM = "import sys; from pathlib import Path; from nuages.engine.serving import main; main({}, Path(sys.argv[1]))"
PATIENCE = 60.0


def until(condition, what="", seconds=PATIENCE):
    """Return the condition's first true value, or fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"never: {what or condition}")
        time.sleep(0.05)


class Engine:
    """The daemon; `model` is the model that methods speak of."""

    def __init__(self, directory: Path, model: str = "dev"):
        self.directory = directory
        self.model = model
        self.process = None
        self.client = Client(directory / "daemon.sock")

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = (self.directory / "stderr").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(self.directory)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        until(self.answers, "the daemon answers")
        return self

    def answers(self):
        if self.process.poll() is not None:
            pytest.fail((self.directory / "stderr").read_text())
        try:
            return self.client.get("/v1/version")
        except ApiError:
            return None

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.wait(30)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.kill(signal.SIGTERM)

    def path(self, *parts):
        return model_path(self.model, *parts)

    def get(self, *parts, **query):
        return self.client.get(self.path(*parts), **query)

    def post(self, *parts, **body):
        return self.client.post(self.path(*parts), body)

    def do(self, *parts, **body):
        """Ask for a mutation and return its finished change."""
        change = self.client.wait(self.model, self.post(*parts, **body)["change"], timeout=PATIENCE)
        assert change["ready"], json.dumps(change, indent=1) + self.text()
        return change

    def done(self, *parts, **body):
        """Ask for a mutation that must succeed."""
        change = self.do(*parts, **body)
        assert change["status"] == "Done", json.dumps(change, indent=1) + self.text()
        return change

    def records(self, **query):
        return list(self.client.stream(self.path("debug-log"), **query))

    def text(self):
        lines = [f"{r['entity']} {r['level']} {r['module']}: {r['message']}" for r in self.records(lines=200)]
        return "\n" + "\n".join(lines)

    def events(self, unit):
        """Return the hooks that the recorder saw, in order."""
        entity = f"unit-{unit.replace('/', '-')}"
        messages = [r["message"] for r in self.records() if r["entity"] == entity]
        return [text.partition("EVENT ")[2] for text in messages if "EVENT " in text]

    def unit(self, name):
        return self.get("status")["applications"][name.partition("/")[0]]["units"][name]

    def bag(self, unit, endpoint, entity, *, app=False):
        """Return a databag as the unit sees it."""
        number = json.loads(self.tool(unit, "relation-ids", endpoint, "--format=json"))[0]
        flags = ["--app"] if app else []
        return json.loads(self.tool(unit, "relation-get", "-r", number, "-", entity, "--format=json", *flags))

    def tool(self, unit, *argv):
        result = self.done("exec", unit=unit, argv=list(argv))["result"]
        assert result["return-code"] == 0, result
        return result["stdout"]

    def settle(self):
        assert self.client.get(self.path("settled"), wait=PATIENCE, timeout=PATIENCE + 5)["settled"], self.text()

    def hook_processes(self):
        """Return the processes of the model's hooks; its daemon may be dead."""
        found = []
        database = sqlite3.connect(self.directory / "models" / self.model / "model.db")
        (body,) = database.execute("SELECT body FROM entity WHERE kind = 'model'").fetchone()
        uuid = json.loads(body)["uuid"].encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if b"JUJU_MODEL_UUID=" + uuid in (entry / "environ").read_bytes():
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found

    def pebble(self, unit):
        """Return the host's pid of the unit's Pebble."""
        record = json.loads((self.directory / "models" / self.model / "model.json").read_text())
        return record["pods"][unit]["containers"]["work"]["pebble"][0]
