import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from nuages import __version__
from nuages.cli.code import fingerprint
from nuages.cli.connection import CODE_NAME
from nuages.cli.root import run
from tests.cli.fake_daemon import FakeDaemon
from tests.cli.fake_daemon import serve as serve_daemon
from tests.cli.web import Answer, Request, site


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and a working folder in no project; returns the folder."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("JUJU_MODEL", "NUAGES_COMMAND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def daemon(home: Path, tmp_path: Path) -> Iterator[FakeDaemon]:
    """A daemon that knows one model, `notes`."""
    directory = tmp_path / "state" / "nuages"
    directory.mkdir(parents=True, mode=0o700)
    (directory / CODE_NAME).write_text(fingerprint())
    fake = FakeDaemon(directory)
    fake.on("GET", "/v1/version", {"version": __version__, "pid": os.getpid(), "state": str(directory)})
    fake.on("GET", "/v1/models", [{"name": "notes", "uuid": "u-1", "project": None, "running": True}])
    stop = serve_daemon(fake)
    yield fake
    stop()


@pytest.fixture
def nuages(capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Call a command in this process."""

    def call(*words: str) -> Outcome:
        capfd.readouterr()
        code = run(words)
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return call


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[Request], Answer]], str]]:
    """Serve pages that a function makes of requests; returns the URL."""
    with ExitStack() as sites:
        yield lambda answer: sites.enter_context(site(answer))
