"""What is committed is what is read again, and only that."""

import itertools
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nuages.engine import changes, grants, lifecycle, secrets
from nuages.engine.errors import EngineError
from nuages.engine.secrets import Attributes
from nuages.engine.state import Databag, Goal, Model, Operation, SecretRevision
from nuages.engine.store import KEPT_CHANGES, Store, holds_model
from tests.engine.simulation import World

NUMBERS = itertools.count()


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
    model = grants.grant(model, "two/0", "abc", number, None)
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


MADE = """
import os, signal, sqlite3, sys
from pathlib import Path
from nuages.engine import store
from nuages.engine.state import Model
connect = sqlite3.connect
def traced(*args, **options):
    database = connect(*args, **options)
    database.set_trace_callback(kill_at)
    return database
def kill_at(text):
    if text.startswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
sqlite3.connect = traced
store.Store(Path(sys.argv[1]), create=Model("dev", "uuid"))
"""


@pytest.mark.parametrize("point", ["PRAGMA synchronous", "CREATE", "INSERT", "COMMIT"])
def test_a_model_that_was_half_made_is_made_again(tmp_path, point):
    path = tmp_path / "model.db"
    done = subprocess.run([sys.executable, "-c", MADE, str(path), point], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert not holds_model(path)
    with pytest.raises(EngineError, match="holds none"):
        Store(path)
    Store(path, create=Model("dev", "uuid")).close()
    assert holds_model(path)
    assert Store(path).state == Model("dev", "uuid")


def test_a_model_is_never_made_over_another(tmp_path, full):
    path = tmp_path / "model.db"
    Store(path, create=full).close()
    with pytest.raises(EngineError, match="cannot open the model"):
        Store(path, create=Model("dev", "another"))
    assert Store(path).state == full


def test_a_full_disk_changes_nothing_and_passes(tmp_path, full):
    store = Store(tmp_path / "model.db", create=full)
    (pages,) = store._db.execute("PRAGMA page_count").fetchone()
    store._db.execute(f"PRAGMA max_page_count={pages}")
    large = replace(full, config={"a": "x" * 100_000}, units={})
    with pytest.raises(EngineError, match=r"cannot save the model: .*full") as caught:
        store.commit(large)
    assert str(tmp_path) in caught.value.fix
    assert store.state is full
    store.commit(replace(full, stopped="still written"))
    store._db.execute("PRAGMA max_page_count=100000")
    store.commit(large)
    store.close()
    assert Store(tmp_path / "model.db").state == large


class Failing:
    """A database whose next COMMIT fails."""

    def __init__(self, database):
        self.database = database
        self.failures = 1

    def __getattr__(self, name):
        return getattr(self.database, name)

    def execute(self, text, *parameters):
        if text == "COMMIT" and self.failures:
            self.failures -= 1
            raise sqlite3.OperationalError("disk I/O error")
        return self.database.execute(text, *parameters)


def test_a_commit_that_fails_at_its_end_is_taken_back(tmp_path, full):
    store = Store(tmp_path / "model.db", create=full)
    store._db = Failing(store._db)
    news = []
    store.listeners.append(lambda old, new: news.append(new))
    with pytest.raises(EngineError, match="disk I/O error"):
        store.commit(replace(full, units={}))
    assert (store.state, news) == (full, [])
    store.commit(replace(full, stopped="again"))
    store.close()
    assert Store(tmp_path / "model.db").state == replace(full, stopped="again")


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE entity SET body = '{' WHERE kind = 'units'",
        "UPDATE entity SET body = '{}' WHERE kind = 'relations'",
        "UPDATE entity SET body = '[]' WHERE kind = 'model'",
        "DELETE FROM entity WHERE kind = 'model'",
        "DROP TABLE entity",
    ],
)
def test_a_damaged_model_is_an_error_without_its_content(tmp_path, full, damage):
    path = tmp_path / "model.db"
    Store(path, create=full).close()
    database = sqlite3.connect(path, isolation_level=None)
    database.execute(damage)
    database.close()
    with pytest.raises(EngineError, match="cannot open the model") as caught:
        Store(path)
    assert "\n" not in str(caught.value)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
values = st.one_of(
    texts, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bag=st.dictionaries(texts, texts), config=st.dictionaries(texts, values), secret=st.dictionaries(texts, texts))
def test_any_text_and_number_comes_back(tmp_path, full, bag, config, secret):
    relation = next(iter(full.relations.values()))
    model = full.with_relation(replace(relation, bags={"one/0": Databag(bag, 3)}))
    model = model.with_application(replace(full.applications["one"], config=config))
    model = model.with_secret(replace(full.secrets["abc"], revisions={7: SecretRevision(secret, "sum")}))
    path = tmp_path / f"{next(NUMBERS)}.db"
    Store(path, create=model).close()
    store = Store(path)
    assert store.state == model
    store.close()


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
