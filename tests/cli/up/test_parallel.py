import subprocess
import threading
import time

import pytest

from nuages.cli.up.parallel import together
from nuages.errors import NuagesError


def test_results_by_name():
    assert together({"a": lambda: 1, "b": lambda: 2}) == {"a": 1, "b": 2}


def test_jobs_run_side_by_side():
    barrier = threading.Barrier(2)
    together({"a": lambda: barrier.wait(5), "b": lambda: barrier.wait(5)})


def test_an_error_ends_the_others_programs():
    ended = threading.Event()

    def long():
        code = subprocess.run(["sleep", "60"], check=False).returncode
        if code == -15:
            ended.set()

    def fail():
        raise NuagesError("cannot")

    before = time.monotonic()
    with pytest.raises(NuagesError, match="cannot"):
        together({"long": long, "fail": fail})
    assert ended.wait(3)
    assert time.monotonic() - before < 10


def test_an_error_stops_what_is_being_fetched(monkeypatch):
    cancelled = threading.Event()
    monkeypatch.setattr("nuages.engine.programs.cancel", cancelled.set)

    def fail():
        raise NuagesError("cannot")

    with pytest.raises(NuagesError, match="cannot"):
        together({"fetch": lambda: cancelled.wait(10), "fail": fail})
    assert cancelled.is_set()


def test_a_second_interrupt_ends_the_waiting_too(monkeypatch):
    end, slept = threading.Event(), []

    def interrupted(seconds):
        slept.append(seconds)
        raise KeyboardInterrupt

    def fail():
        monkeypatch.setattr("nuages.cli.up.parallel.time.sleep", interrupted)
        raise NuagesError("cannot")

    with pytest.raises(KeyboardInterrupt):
        together({"long": end.wait, "fail": fail})
    end.set()
    assert len(slept) == 1


@pytest.mark.slow
def test_tidying_up_may_take_as_long_as_on_a_busy_machine():
    tidied = threading.Event()

    def long():
        subprocess.run(["sleep", "60"], check=False)
        time.sleep(5)  # as long as removing many files there
        tidied.set()

    def fail():
        raise NuagesError("cannot")

    with pytest.raises(NuagesError, match="cannot"):
        together({"long": long, "fail": fail})
    assert tidied.is_set()
