"""uv's words become one line."""

import subprocess
from pathlib import Path

import pytest

from nuages.build import uv
from nuages.build.errors import BuildError

NO_SOLUTION = """\
Using CPython 3.12.1 interpreter at: /usr/bin/python3
  × No solution found when resolving dependencies:
  ╰─▶ Because nothing-like-this was not found in the package registry and
      you require nothing-like-this, we can conclude that your requirements
      are unsatisfiable.
"""


def test_one_line_without_decoration():
    assert uv.reason(NO_SOLUTION) == (
        "No solution found when resolving dependencies: Because nothing-like-this was not found in the package "
        "registry and you require nothing-like-this, we can conclude that your requirements are unsatisfiable."
    )


def test_causes_follow_on_one_line():
    text = "error: Failed to fetch\n  cause: client error\n  cause: refused\n"
    assert uv.reason(text) == "Failed to fetch: client error: refused"


def test_no_password_of_a_registry():
    text = "error: Failed to fetch: `https://me:hunter2@registry.example/simple/x/`"
    assert "hunter2" not in uv.reason(text)
    assert uv.reason("") == "uv gave no reason"


def test_long_output_keeps_both_ends():
    reason = uv.reason("first " + "x" * 5000 + " last")
    assert len(reason) < 700
    assert reason.startswith("first")
    assert reason.endswith("last")


@pytest.mark.parametrize(
    ("output", "fix"),
    [
        (NO_SOLUTION, "correct requirements.txt"),
        ("error: Failed to fetch: `x`\n  Caused by: dns error", "check the network"),
        ("  × Failed to build `psycopg2==2.9`\n", "psycopg[binary]"),
        ("error: No space left on device (os error 28)", "XDG_CACHE_HOME"),
    ],
)
def test_each_failure_has_a_fix(output, fix, monkeypatch, tmp_path):
    failed = subprocess.CompletedProcess([], 1, b"", output.encode())
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(BuildError) as caught:
        uv.run(["pip"], doing="install it", place="requirements.txt", target=tmp_path)
    assert fix in caught.value.fix
    assert "\n" not in str(caught.value)


def test_uv_is_found():
    assert Path(uv.find_uv()).is_file()
