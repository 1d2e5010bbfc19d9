"""What is committed is what is read again, and only that."""

import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace

import pytest

from nuages.engine import changes, lifecycle, secrets
from nuages.engine.errors import EngineError
from nuages.engine.secrets import Attributes
from nuages.engine.state import Goal, Model, Operation
from nuages.engine.store import KEPT_CHANGES, Store
from tests.engine.simulation import World


@pytest.fixture
def full():
    """A model with something of everything."""
    world = World().deploy("one", units=2, config={"say": "x", "count": 3}).deploy("two")
    number = world.integrate("one:ask", "two:serve")
    world.pod("one/0", "one/1", "two/0")
    world.run()
    model = secrets.create(
        world.model,
        "two/0",
        owner="two",
        secret_id="abc",
        content={"key": "v"},
        attributes=Attributes("label"),
        now=1.5,
    )
    model = secrets.grant(model, "two/0", "abc", number, None)
    model = secrets.track(model, "one/0", "abc", 1, "mine")
    model, change = changes.begin(model, "deploy", "deploy one", [Goal("settled", "one")], 1.0)
    model, task = changes.add_task(model, change, "a step")
    model = changes.end_task(model, task, "Done", ["a line"])
    model = model.with_operation(Operation("1", "one/0", "action", "greet", params={"deep": [1, {"x": None}]}))
    return lifecycle.churn(replace(model, stopped="down", config={"a": True}), "one/1", 2.0)


def test_everything_is_read_again(tmp_path, full):
    store = Store(tmp_path / "model.db", create=full)
    store.close()
    assert Store(tmp_path / "model.db").state == full


def test_only_what_changed_is_written(tmp_path, full):
    store = Store(tmp_path / "model.db", create=full)
    database = sqlite3.connect(tmp_path / "model.db")
    seen = []
    store._db.set_trace_callback(lambda statement: seen.append(statement.split(" ")[0]))
    store.commit(store.state)
    assert seen == []
    unit = full.units["one/0"]
    store.commit(full.with_unit(replace(unit, ports=("80/tcp",))))
    assert seen.count("INSERT") == 1
    (rows,) = database.execute("SELECT count(*) FROM entity WHERE kind = 'units'").fetchone()
    assert rows == len(full.units)


def test_what_is_gone_is_gone(tmp_path, full):
    store = Store(tmp_path / "model.db", create=full)
    store.commit(replace(full, units={}, secrets={}))
    store.close()
    found = Store(tmp_path / "model.db").state
    assert (found.units, found.secrets) == ({}, {})
    assert found.applications == full.applications


def test_a_failed_commit_changes_nothing(tmp_path, full):
    store = Store(tmp_path / "model.db", create=full)
    broken = replace(full.units["one/0"], ports=(object(),))
    with pytest.raises(Exception, match="serialize"):
        store.commit(replace(full, units={**full.units, "one/1": replace(full.units["one/1"], pod=9), "one/0": broken}))
    assert store.state is not broken
    store.close()
    assert Store(tmp_path / "model.db").state == full


KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from nuages.engine.store import Store
store = Store(Path(sys.argv[1]))
store._db.set_trace_callback(lambda text: os.kill(os.getpid(), signal.SIGKILL) if text == sys.argv[2] else None)
store.commit(replace(store.state, config={"new": True}, units={}))
store._db.execute("SELECT 1")
"""


@pytest.mark.parametrize(("point", "committed"), [("COMMIT", False), ("SELECT 1", True)])
def test_a_kill_leaves_all_or_nothing(tmp_path, full, point, committed):
    path = tmp_path / "model.db"
    Store(path, create=full).close()
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), point], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    found = Store(path).state
    assert (found.config == {"new": True}, found.units == {}) == (committed, committed)


def test_old_changes_are_forgotten(tmp_path):
    store = Store(tmp_path / "model.db", create=Model("dev", "uuid"))
    for _ in range(KEPT_CHANGES + 50):
        model, change = changes.begin(store.state, "config", "configure", (), 1.0)
        store.commit(changes.finish(model, change, 2.0))
    assert KEPT_CHANGES <= len(store.state.changes) <= KEPT_CHANGES + 20
    assert str(KEPT_CHANGES + 50) in store.state.changes


def test_another_format_is_refused(tmp_path):
    path = tmp_path / "model.db"
    Store(path, create=Model("dev", "uuid")).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version=99")
    database.close()
    with pytest.raises(EngineError, match="another version of Nuages"):
        Store(path)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "model.db"
    path.write_text("hello" * 1000)
    with pytest.raises(EngineError, match="cannot open the model"):
        Store(path)


def test_the_file_is_private(tmp_path):
    old = os.umask(0)
    try:
        Store(tmp_path / "model.db", create=Model("dev", "uuid"))
    finally:
        os.umask(old)
    assert (tmp_path / "model.db").stat().st_mode & 0o777 == 0o600
