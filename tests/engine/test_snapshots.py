"""Snapshots on disk: what is half done when the daemon dies is undone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nuages.engine import copying, snapshots
from nuages.engine.api.client import ApiError
from nuages.engine.daemon import Daemon
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
        fresh = snapshots.prepare(self.state, self.home, found, stopped="down")
        snapshots.swap(self.state, self.home, fresh)

    def names(self) -> list[str]:
        return [snapshot.name for snapshot in snapshots.listing(self.state, "dev")]

    def hidden(self) -> list[str]:
        return [str(path) for path in self.state.rglob(".*")]


@pytest.fixture(autouse=True)
def no_power_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flushing takes as long as others on the disk let it."""
    monkeypatch.setattr(snapshots, "flush", lambda place: None)


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
    wrong = ("First", "../x", "", ".", "x" * 300, "a\n")
    for name, reason in (
        *((name, "lower case") for name in wrong),
        ("first", "there is one"),
        (snapshots.BEFORE, "the next restore would replace it"),
    ):
        with pytest.raises(EngineError, match=reason) as error:
            snapshots.check_name(place.state, "dev", name)
        assert error.value.fix
    for name in (*wrong, "second", "../dev/first"):
        for ask in (snapshots.find, snapshots.discard) if name else (snapshots.find,):
            with pytest.raises(NotFound, match="not found"):
                ask(place.state, "dev", name)
    assert place.names() == ["first"]


def test_a_damaged_one_is_named_and_can_be_removed(place: Place) -> None:
    place.take("first")
    (snapshots.directory(place.state, "dev") / "first" / "snapshot.json").write_bytes(b"\xff")
    with pytest.raises(EngineError, match="cannot read the snapshot first") as error:
        place.names()
    assert error.value.fix == "nuages snapshot remove first"
    snapshots.discard(place.state, "dev", "first")
    assert place.names() == []


def test_a_copy_that_fails_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Path, target: Path, users: object = None) -> None:
        target.mkdir()
        raise SandboxError("cannot copy: No space left on device")

    monkeypatch.setattr(snapshots, "copy", full)
    with pytest.raises(SandboxError, match="No space left"):
        place.take("first")
    assert (place.names(), place.hidden()) == ([], [])


@pytest.mark.parametrize("error", [sqlite3.OperationalError("database or disk is full"), OSError(28, "No space left")])
def test_a_full_disk_is_said(place: Place, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    place.take("first")

    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr(snapshots, "copy_database", full)
    for work in (lambda: place.take("second"), lambda: place.restore("first")):
        with pytest.raises(EngineError, match=r"cannot (make snapshot second|restore first): .*(full|space)") as caught:
            work()
        assert caught.value.fix
    assert (place.names(), place.hidden(), place.read()) == (["first"], [], "one")


def test_one_that_another_version_made_replaces_nothing(place: Place) -> None:
    place.take("first")
    place.write("two")
    database = sqlite3.connect(snapshots.directory(place.state, "dev") / "first" / "model.db")
    database.execute("PRAGMA user_version=99")
    database.close()
    with pytest.raises(EngineError, match="written by another version"):
        place.restore("first")
    assert (place.read(), place.names(), place.hidden()) == ("two", ["first"], [])


def test_a_missing_rock_is_named_before_anything_is_touched(place: Place) -> None:
    found = replace(place.take("first"), resources=("/nowhere/rock-1",))
    with pytest.raises(EngineError, match="the rock rock-1 is no longer in the cache"):
        snapshots.prepare(place.state, place.home, found, stopped="down")
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
        fresh = snapshots.prepare(place.state, place.home, snapshots.find(place.state, "dev", "first"), stopped="")
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


CRASHES = 60


def killed(work: Callable[[], object], step: int) -> bool:
    """Do the work in a process that is killed before its `step`th change of a file; return whether it was."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)
        return os.waitstatus_to_exitcode(status) != 0
    left = step

    def counted(function: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **options: object) -> object:
            nonlocal left
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)

        return call

    try:
        for name in ("rename", "write_bytes", "write_text", "mkdir", "chmod", "unlink", "rmdir", "touch"):
            setattr(Path, name, counted(getattr(Path, name)))
        for module, name in ((snapshots, "remove"), (snapshots, "copy"), (copying, "remove")):
            setattr(module, name, counted(getattr(module, name)))
        work()
        os._exit(0)
    finally:
        os._exit(1)


@pytest.mark.parametrize("again", [False, True])
def test_a_kill_at_any_step_of_a_restore(tmp_path: Path, again: bool) -> None:
    """And of the recovery after it, with `again`."""
    seen: set[str] = set()
    for step in range(1, CRASHES):
        place = Place(tmp_path / f"{step}")
        place.take("first")
        place.write("two")
        if not killed(lambda place=place: place.restore("first"), step):
            break
        for inner in range(1, CRASHES) if again else ():
            if not killed(lambda place=place: snapshots.recover(place.state), inner):
                break
        snapshots.recover(place.state)
        assert place.hidden() == []
        seen.add(place.read())
        if place.read() == "two":
            assert place.names() == ["first"]
            continue
        assert place.names() == ["first", "before-restore"]
        place.restore("before-restore")
        assert place.read() == "two"
    else:
        pytest.fail("it did not end")
    assert seen == {"one", "two"}


@pytest.mark.parametrize("work", ["take", "remove"])
def test_a_kill_at_any_step_of_making_or_removing_one(tmp_path: Path, work: str) -> None:
    for step in range(1, CRASHES):
        place = Place(tmp_path / f"{step}")
        place.take("first")
        do = (
            partial(place.take, "second") if work == "take" else partial(snapshots.discard, place.state, "dev", "first")
        )
        if not killed(do, step):
            break
        snapshots.recover(place.state)
        assert place.hidden() == []
        assert place.read() == "one"
        for name in place.names():
            place.write("two")
            place.restore(name)
            assert place.read() == "one"
    else:
        pytest.fail("it did not end")


def test_what_cannot_be_mended_keeps_nobody_from_working(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, for example: it is tried again later, and no half model is taken for one."""
    place.take("first")
    snapshots.prepare(place.state, place.home, snapshots.find(place.state, "dev", "first"), stopped="")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async def work() -> None:
        daemon = Daemon(place.state, {})
        await daemon.open()
        assert set(daemon.runners) == {"dev"}
        await daemon.close()

    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "remove", fail)
        asyncio.run(work())
    assert (place.home.parent / ".dev.new").exists()
    asyncio.run(work())
    assert place.hidden() == []


def with_daemon(place: Place, work: Callable[[Daemon], Coroutine[Any, Any, None]]) -> None:
    """Run `work` with a daemon of the place, whose model runs (and has no pods)."""

    async def run() -> None:
        daemon = Daemon(place.state, {})
        await daemon.open()
        if daemon.runner("dev").state.stopped == "down":
            await daemon.runner("dev").start()
        await work(daemon)
        await daemon.close()

    asyncio.run(run())


class Held:
    """A step that waits until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
        self.reached, self.go = asyncio.Event(), asyncio.Event()
        loop, function = asyncio.get_running_loop(), getattr(snapshots, step)

        def call(*args: object, **options: object) -> object:
            loop.call_soon_threadsafe(self.reached.set)
            asyncio.run_coroutine_threadsafe(self.go.wait(), loop).result(30)
            return function(*args, **options)

        monkeypatch.setattr(snapshots, step, call)


@pytest.mark.parametrize("step", ["take", "prepare", "swap"])
def test_nobody_disturbs_a_copy(place: Place, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    async def work(daemon: Daemon) -> None:
        await daemon.snapshot("dev", "first")
        place.write("two")
        held = Held(monkeypatch, step)
        doing = daemon.snapshot("dev", "second") if step == "take" else daemon.restore("dev", "first")
        task = asyncio.create_task(doing)
        await held.reached.wait()
        assert daemon.runner("dev").state.stopped == "for a snapshot"
        for other in (
            daemon.restore("dev", "first"),
            daemon.snapshot("dev", "third"),
            daemon.remove_snapshot("dev", "first"),
            daemon.purge("dev"),
        ):
            with pytest.raises(EngineError, match=r"cannot change model dev: .* snapshot"):
                await other
        starting = asyncio.create_task(daemon.runner("dev").start())
        closing = asyncio.create_task(daemon.close())
        await asyncio.sleep(0.05)
        assert not starting.done()
        assert not closing.done()
        held.go.set()
        await task
        await asyncio.gather(starting, return_exceptions=True)
        assert daemon.runner("dev").state.stopped == ""
        await closing

    with_daemon(place, work)
    assert place.read() == ("two" if step == "take" else "one")
    assert place.names() == ["first", "second" if step == "take" else "before-restore"]


def test_a_stopped_model_stays_stopped_and_one_that_ran_runs(place: Place) -> None:
    async def work(daemon: Daemon) -> None:
        await daemon.snapshot("dev", "running")
        await daemon.runner("dev").down()
        await daemon.snapshot("dev", "down")
        for name in ("running", "down"):
            await daemon.restore("dev", name)
            assert daemon.runner("dev").state.stopped == "down"
            await daemon.runner("dev").start()
            await daemon.restore("dev", name)
            assert daemon.runner("dev").state.stopped == ""
            await daemon.runner("dev").down()
        assert (await asyncio.to_thread(place.names)) == ["running", "down", "before-restore"]

    with_daemon(place, work)


@pytest.mark.parametrize("step", ["take", "prepare", "swap"])
def test_a_model_that_ran_runs_again_whatever_happens(place: Place, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise SandboxError("cannot copy: No space left on device")

    async def work(daemon: Daemon) -> None:
        await daemon.snapshot("dev", "first")
        with monkeypatch.context() as patch:
            patch.setattr(snapshots, step, fail)
            with pytest.raises(SandboxError, match="No space left"):
                await (daemon.snapshot("dev", "second") if step == "take" else daemon.restore("dev", "first"))
        assert daemon.runner("dev").state.stopped == ""

    with_daemon(place, work)
    assert (place.names(), place.hidden()) == (["first"], [])


def test_a_model_that_was_stopped_for_a_snapshot_runs_again_after_a_kill(place: Place) -> None:
    store = Store(place.home / "model.db")
    store.commit(replace(store.state, stopped="for a snapshot"))
    store.close()

    async def work(daemon: Daemon) -> None:
        assert daemon.runner("dev").state.stopped == ""

    with_daemon(place, work)


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


@pytest.mark.e2e
@pytest.mark.parametrize("doing", ["create", "restore"])
def test_a_running_model_runs_again_when_the_daemon_is_killed_meanwhile(tmp_path: Path, charm, doing: str) -> None:
    own = Engine(tmp_path / "nuages").start()
    own.client.put("/v1/models/dev")
    own.done("deploy", charm=str(charm), application="one")
    own.client.put(own.path("snapshots", "first"))
    own.settle()
    path = own.path("snapshots", "second") if doing == "create" else own.path("snapshots", "first", "restore")

    def ask() -> None:
        with contextlib.suppress(ApiError):
            (own.client.put if doing == "create" else own.client.post)(path)

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: own.get("status")["nuages"]["stopped"], "it is stopped")
    own.kill()
    asking.join(30)
    own.start()
    until(lambda: own.unit("one/0")["workload-status"]["current"] == "active", "it runs again")
    assert own.get("status")["nuages"]["stopped"] is None
    assert not list((own.directory / "models").glob(".*"))
    assert not list((own.directory / snapshots.DIRECTORY / "dev").glob(".*"))
    own.client.delete("/v1/models/dev")
    own.stop()


def client_charm(client) -> str:
    return client.get("/v1/models/kept/status")["applications"]["one"]["charm-name"]
