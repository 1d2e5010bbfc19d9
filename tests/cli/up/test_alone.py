"""One `up` of a project at a time."""

import io
import threading

import pytest

from nuages.cli.up.alone import alone
from nuages.cli.up.console import Console


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "nuages").mkdir()
    return tmp_path


def test_the_second_says_so_and_waits_for_the_first(state, tmp_path):
    said, order = io.StringIO(), []
    with alone(tmp_path / "project", Console(said)):
        assert said.getvalue() == ""

        def second():
            with alone(tmp_path / "project", Console(said)):
                order.append("second")

        thread = threading.Thread(target=second, daemon=True)
        thread.start()
        while "under way" not in said.getvalue():
            thread.join(0.01)
            assert thread.is_alive()
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_other_projects_do_not_wait(state, tmp_path):
    said = io.StringIO()
    with alone(tmp_path / "one", Console(said)), alone(tmp_path / "two", Console(said)):
        assert said.getvalue() == ""
