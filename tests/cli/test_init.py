"""`nuages init` as it is typed: what it says, asks and writes."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nuages.build.uv import find_uv
from tests.extension.django.trees import project

WRITTEN = {"rockcraft.yaml", "charm/charmcraft.yaml", "charm/src/charm.py", "charm/requirements.txt"}


@pytest.fixture
def site(home: Path) -> Path:
    for name, text in project('SECRET_KEY = "x"\nDEBUG = True\nALLOWED_HOSTS = []\n').items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(text)
    return home


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def answers(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_it_says_what_it_found_and_is_not_ready(site: Path, nuages):
    before = files(site)
    outcome = nuages("init")
    assert (outcome.code, outcome.err) == (0, "")
    assert files(site) - before == WRITTEN
    for text in (
        "manage.py          manage.py", "the only manage.py", "site_one.wsgi", "site_one/wsgi.py:4",
        "debug mode is on: visitors see source and settings (site_one/settings.py:4)",
        "SQLite", "anybody can sign sessions", "site-one is not ready:", "nuages init --settings   mends sqlite, debug",
    ):  # fmt: skip
        assert text in outcome.out, text
    assert "Try it" not in outcome.out


def test_the_bridge_is_asked_for_with_the_difference(site: Path, nuages, monkeypatch):
    before = (site / "manage.py").read_text()
    answers(monkeypatch, "what\ny\nn\n")
    outcome = nuages("init", "--settings")
    assert outcome.code == 1
    assert '+os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_one.settings_charm")' in outcome.out
    assert "'what' is no answer" in outcome.out
    assert "settings_charm" in (site / "manage.py").read_text() != before
    assert "settings_charm" not in (site / "site_one/wsgi.py").read_text()
    assert "Left as they are: site_one/wsgi.py" in outcome.out and "not ready" in outcome.out


def test_yes_asks_nothing_and_a_second_time_there_is_nothing_to_do(site: Path, nuages, monkeypatch):
    answers(monkeypatch, "")
    outcome = nuages("init", "--settings", "--yes")
    assert outcome.code == 0, outcome.err
    assert "Change " not in outcome.out
    assert "Nothing more was found that speaks against it. Try it: nuages up" in outcome.out
    again = nuages("init", "--settings")
    assert (again.code, "Nothing to do" in again.out) == (0, True)
    assert "Nothing to do" in nuages("init").out
    assert "Nothing was written" not in nuages("init", "--settings", "--dry-run").out


def test_the_end_of_input_is_a_no(site: Path, nuages, monkeypatch):
    nuages("init")
    (site / "rockcraft.yaml").write_text("name: site-one\n")
    answers(monkeypatch, "")
    outcome = nuages("init")
    assert outcome.code == 1
    assert (site / "rockcraft.yaml").read_text() == "name: site-one\n"
    assert "nuages init --yes changes them" in outcome.out


def test_a_dry_run_shows_every_file_and_writes_none(site: Path, nuages):
    before = files(site)
    outcome = nuages("init", "--settings", "--dry-run")
    assert outcome.code == 0
    assert "+interface: postgresql_client" in outcome.out.replace("+    ", "+")
    assert "Nothing was written." in outcome.out
    assert files(site) == before


def test_of_another_directory(site: Path, nuages, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    outcome = nuages("init", "elsewhere", "--name", "shop")
    assert outcome.code == 0, outcome.err
    assert "name: shop" in (site / "rockcraft.yaml").read_text()
    assert "nuages init --settings elsewhere" in outcome.out


@pytest.mark.parametrize(
    ("words", "error", "fix", "code"),
    [
        (["init"], "cannot find a Django project in elsewhere", "nuages init --new NAME", 1),
        (["init", "gone"], "cannot init gone: there is no such directory", "nuages init DIRECTORY", 1),
        (["init", "--profile", "flask-framework"], "'flask-framework'", "charmcraft init --profile flask-framework", 1),
        (["init", "--name", "A b"], "cannot find a Django project", "", 1),
        (["init", "--new", "A b"], "cannot make a project 'A b'", "nuages init --new a-b", 1),
        (["init", "--new", "a", "--settings"], "--new goes with neither", "nuages init --help", 2),
        (["init", "--setings"], "--setings", "nuages init --help", 2),
    ],
)
def test_one_line_with_a_mend(home: Path, nuages, *, words, error, fix, code):
    outcome = nuages(*words)
    assert outcome.code == code
    assert error in outcome.err and fix in outcome.err
    assert [line.split(":")[0] for line in outcome.err.splitlines()] == ["error", "fix"]
    assert files(home) == set()


def test_charmcraft_s_profile_is_accepted(site: Path, nuages):
    assert nuages("init", "--profile", "django-framework").code == 0


def test_without_wsgi_it_is_said_and_written(site: Path, nuages):
    (site / "site_one/wsgi.py").unlink()
    outcome = nuages("init")
    assert outcome.code == 0
    assert "no module with a WSGI application" in outcome.out
    assert (site / "site_one/wsgi.py").is_file()
    assert "no module with a WSGI application" not in outcome.out.partition("is not ready:")[2]


def test_requirements_only_in_a_lock(site: Path, nuages):
    (site / "requirements.txt").unlink()
    (site / "Pipfile.lock").write_text('{"default": {"django": {"version": "==5.2.1"}}}')
    outcome = nuages("init")
    assert "only Pipfile.lock names the packages" in outcome.out
    assert (site / "requirements.txt").read_text().endswith("django==5.2.1\n")


def test_no_requirements_is_said_and_not_made_up(site: Path, nuages):
    (site / "requirements.txt").unlink()
    outcome = nuages("init", "--settings", "--yes")
    assert "no file names the packages that the project needs" in outcome.out
    assert "is not ready" in outcome.out
    assert not (site / "requirements.txt").exists()


def test_ctrl_c_at_a_question_writes_nothing(site: Path):
    """On a terminal, as a user does it."""
    before = {name: (site / name).read_text() for name in files(site)}
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "nuages.cli", "init", "--settings"],
        cwd=site, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  tests may run with it ignored
    )  # fmt: skip
    os.close(theirs)
    said, deadline = "", time.monotonic() + 30
    while "? [y/N]" not in said and time.monotonic() < deadline:
        said += os.read(ours, 4096).decode()
    while process.poll() is None and time.monotonic() < deadline + 30:
        process.send_signal(signal.SIGINT)  # again, as people do: one may come just before it begins to wait
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2)
    _, err = process.communicate(timeout=1)
    os.close(ours)
    assert process.returncode == 130
    assert "interrupted" in err and "Traceback" not in err
    assert {name: (site / name).read_text() for name in files(site)} == before


def test_a_new_project_has_all_of_it(home: Path, nuages):
    outcome = nuages("init", "--new", "my-shop")
    assert outcome.code == 0, outcome.err
    assert "nuages up my-shop" in outcome.out
    again = nuages("init", "my-shop")
    assert "Nothing more was found that speaks against it" in again.out, again.out
    assert "Nothing to do" in again.out
    assert nuages("init", "--new", "my-shop").code == 1


@pytest.mark.slow
def test_the_tests_of_a_new_project_pass(home: Path, nuages, monkeypatch):
    monkeypatch.undo()  # uv has its cache in the real home
    nuages("init", "--new", "my-shop", str(home))
    for words, said in (
        (["test"], "Ran 2 tests"),
        (["makemigrations", "--check", "--dry-run"], ""),
        (["check", "--fail-level", "ERROR"], ""),
    ):
        ran = subprocess.run(
            [find_uv(), "run", "--quiet", "--no-project", "--isolated", "--with-requirements", "../requirements.txt",
             "python", "manage.py", *words],
            cwd=home / "my-shop/my_shop", capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0 and said in ran.stderr, ran.stdout + ran.stderr


def test_new_as_a_dry_run(home: Path, nuages):
    assert nuages("init", "--new", "shop", "--dry-run").code == 0
    assert files(home) == set()
