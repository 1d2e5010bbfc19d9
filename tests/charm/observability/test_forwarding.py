"""Logs through the real Pebble, to a server that takes them as Loki does."""

import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import ops
import pytest

from nuages.charm import decide, interfaces
from nuages.charm.facts import Relation
from nuages.charm.plan import Layer
from nuages.charm.workload import Container
from nuages.engine.programs import ensure
from tests.charm.interfaces.examples import example
from tests.charm.interfaces.test_examples import NAMED
from tests.charm.made import facts, workload
from tests.charm.observability.conftest import LABELS, eventually, running

SECOND = 1_000_000_000
SERVICE = {"override": "replace", "startup": "enabled", "command": "sh -c 'while true; do date +%N; sleep 0.1; done'"}


class Loki(ThreadingHTTPServer):
    """Keeps what is pushed."""

    def __init__(self) -> None:
        self.streams: list[dict[str, Any]] = []
        streams = self.streams

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                streams.extend(json.loads(body)["streams"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def newest(self) -> int:
        """When the newest line was written, in nanoseconds; 0 without any."""
        return max((int(moment) for stream in self.streams for moment, _ in stream["values"]), default=0)

    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/loki/api/v1/push"


@pytest.fixture
def servers() -> Iterator[tuple[Loki, Loki]]:
    found = (Loki(), Loki())
    for server in found:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    for server in found:
        server.shutdown()


class Plain:
    """As much of `ops.Container` as is needed to add a layer."""

    name = "django-app"

    def __init__(self, client: ops.pebble.Client) -> None:
        self.pebble = client

    def get_plan(self) -> ops.pebble.Plan:
        return self.pebble.get_plan()


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Container]:
    monkeypatch.setenv("PEBBLE", str(tmp_path))
    (tmp_path / "layers").mkdir()
    (tmp_path / "layers/001-rock.yaml").write_text(json.dumps({"services": {"django": SERVICE}}))
    path = ensure("pebble")["pebble"]
    with running([str(path), "run"], tmp_path):
        client = ops.pebble.Client(str(tmp_path / ".pebble.socket"))
        eventually("Pebble answers", lambda: os.path.exists(client.socket_path) and client.get_services())  # noqa: PTH110
        yield Container(Plain(client))  # type: ignore[arg-type]  see Plain


def forward(container: Container, *relations: Relation) -> None:
    """Do with log targets what the charm does at an event."""
    ours = facts(**NAMED, relations=relations, workload=workload(targets=container.plan().get("log-targets", {})))
    for step in decide.log_targets(ours, tuple(interfaces.integrations(ours))):
        assert isinstance(step, Layer)
        container.add_layer(step.label, step.services, step.checks, step.targets)


def related(unit: str, server: Loki) -> Relation:
    return example("logging", app=unit, units={unit: {"endpoint": json.dumps({"url": server.url()})}})


def test_logs_arrive_labelled_until_loki_is_gone(container: Container, servers: tuple[Loki, Loki]) -> None:
    first, second = servers
    gone, stays = related("loki/0", first), related("agent/0", second)._replace(id=8)
    forward(container, gone, stays)
    eventually("logs arrive", lambda: first.streams and second.streams)
    labels = first.streams[0]["stream"]
    assert {name: labels[name] for name in LABELS} == LABELS
    assert labels["charm"] == "django-k8s"
    assert labels["pebble_service"] == "django"
    before = container.plan()["log-targets"]
    forward(container, gone, stays)
    assert container.plan()["log-targets"] == before
    forward(container, stays)
    assert container.plan()["log-targets"]["loki/0"]["services"] == ["-all"]
    silenced = time.time_ns()
    eventually("the other one gets what is written later", lambda: second.newest > silenced + 2 * SECOND)
    assert first.newest < silenced + SECOND / 2
    forward(container)
    assert [target["services"] for target in container.plan()["log-targets"].values()] == [["-all"]] * 2
