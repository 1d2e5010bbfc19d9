"""Snapshots on disk: what is half done when the daemon dies is undone."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from nuages.engine import snapshots
from nuages.engine.errors import EngineError, NotFound
from nuages.engine.sandbox.errors import SandboxError
from nuages.engine.state import Model
from nuages.engine.store import Store
from tests.engine.world import Engine, until


class Place:
    """A state directory with one stopped model, `dev`, that has one volume."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.model = Model("dev", "uuid-1", stopped="down", config={"note": "first"})
        self.home = state / "models" / "dev"
        (self.home / "volumes" / "postgresql-k8s-0" / "data").mkdir(parents=True)
        Store(self.home / "model.db", create=self.model).close()
        self.write("one")

    @property
    def file(self) -> Path:
        return self.home / "volumes" / "postgresql-k8s-0" / "data" / "rows"

    def write(self, text: str) -> None:
        self.file.write_text(text)

    def read(self) -> str:
        return self.file.read_text()

    def take(self, name: str) -> snapshots.Snapshot:
        return snapshots.take(self.state, self.home, self.model, name)

    def restore(self, name: str) -> None:
        found = snapshots.find(self.state, "dev", name)
        fresh = snapshots.prepare(self.state, self.home, found)
        snapshots.swap(self.state, self.home, fresh, self.model)

    def names(self) -> list[str]:
        return [snapshot.name for snapshot in snapshots.listing(self.state, "dev")]

    def hidden(self) -> list[str]:
        return [str(path) for path in self.state.rglob(".*")]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_was_kept_comes_back_and_what_it_replaced_is_kept(place: Place) -> None:
    made = place.take("first")
    assert made.size > 0
    place.write("two")
    place.restore("first")
    assert place.read() == "one"
    assert place.names() == ["first", "before-restore"]
    place.restore("before-restore")
    assert place.read() == "two"
    store = Store(place.home / "model.db")
    assert store.state.config == {"note": "first"}
    store.close()
    assert place.hidden() == []


def test_names_are_checked(place: Place) -> None:
    snapshots.check_name(place.state, "dev", "before-2")
    place.take("first")
    for name, reason in (("First", "lower case"), ("../x", "lower case"), ("first", "there is one")):
        with pytest.raises(EngineError, match=reason):
            snapshots.check_name(place.state, "dev", name)
    with pytest.raises(NotFound, match="snapshot second of dev not found"):
        snapshots.find(place.state, "dev", "second")


def test_a_copy_that_fails_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Path, target: Path, users: object = None) -> None:
        target.mkdir()
        raise SandboxError("cannot copy: No space left on device")

    monkeypatch.setattr(snapshots, "copy", full)
    with pytest.raises(SandboxError, match="No space left"):
        place.take("first")
    assert (place.names(), place.hidden()) == ([], [])


def test_a_missing_rock_is_named_before_anything_is_touched(place: Place) -> None:
    found = replace(place.take("first"), resources=("/nowhere/rock-1",))
    with pytest.raises(EngineError, match="the rock rock-1 is no longer in the cache"):
        snapshots.prepare(place.state, place.home, found)
    assert place.hidden() == []


@pytest.mark.parametrize("step", ["taking", "prepared", "moved away", "swapped", "removing"])
def test_a_daemon_that_was_killed_leaves_the_old_state_or_the_new_one(place: Place, step: str) -> None:
    place.take("first")
    place.write("two")
    models, kept = place.home.parent, snapshots.directory(place.state, "dev")
    if step == "taking":
        shutil.copytree(kept / "first", kept / ".second.tmp")
    elif step == "removing":
        (kept / "first").rename(kept / ".first.gone")
    else:
        fresh = snapshots.prepare(place.state, place.home, snapshots.find(place.state, "dev", "first"))
        if step != "prepared":
            place.home.rename(models / ".dev.old")
        if step == "swapped":
            fresh.rename(place.home)
    snapshots.recover(place.state)
    assert place.hidden() == []
    if step == "swapped":
        assert (place.read(), place.names()) == ("one", ["first", "before-restore"])
        place.restore("before-restore")
        assert place.read() == "two"
    else:
        assert (place.read(), place.names()) == ("two", [] if step == "removing" else ["first"])
    snapshots.recover(place.state)  # again, for a daemon that was killed while it recovered


def test_the_snapshots_of_a_purged_model_go_with_it(place: Place) -> None:
    place.take("first")
    snapshots.discard(place.state, "dev")
    assert not (place.state / snapshots.DIRECTORY).exists()


@pytest.mark.e2e
def test_a_running_model_is_kept_put_back_and_runs(engine, charm) -> None:
    model = Engine(engine.directory, "kept")
    model.process = engine.process
    engine.client.put("/v1/models/kept", {})
    model.done("deploy", charm=str(charm), application="one")
    client = engine.client

    def units() -> dict[str, str]:
        found = client.get("/v1/models/kept/status")["applications"].get("one", {}).get("units", {})
        return {name: unit["workload-status"]["current"] for name, unit in found.items()}

    before = until(lambda: set(units().values()) == {"active"} and units(), "it is active")
    assert client.put("/v1/models/kept/snapshots/first")["applications"] == {"one": client_charm(client)}
    until(lambda: units() == before, "it runs again")
    model.done("scale", application="one", units=2)
    assert len(units()) == 2
    client.post("/v1/models/kept/snapshots/first/restore")
    until(lambda: units() == before, "it is as it was, and runs")
    assert [each["name"] for each in client.get("/v1/models/kept/snapshots")] == ["first", "before-restore"]
    client.delete("/v1/models/kept")
    assert not (engine.directory / snapshots.DIRECTORY).exists()


def client_charm(client) -> str:
    return client.get("/v1/models/kept/status")["applications"]["one"]["charm-name"]
