import os
import subprocess

import pytest

from nuages.engine.sandbox import process
from nuages.engine.sandbox.errors import SandboxError
from nuages.engine.sandbox.process import Process


def test_a_process_is_its_pid_and_its_start():
    with subprocess.Popen(["sleep", "100"]) as child:
        found = Process.of(child.pid)
        assert found.alive()
        assert not Process(found.pid, found.start - 1).alive()
        Process(found.pid, found.start - 1).kill()
        assert found.alive(), "somebody else's pid is not killed"
        found.kill()
        assert not found.alive(), "a zombie is dead"
        child.wait()
    assert Process.of(child.pid) is None
    found.kill()


def test_our_own_pid_as_namespaces_see_it():
    assert process.inner_pids(os.getpid())[0] == os.getpid()
    assert process.inner_pids(0) == ()


def test_a_missing_tool_is_an_error_with_the_apt_line(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(process, "_SYSTEM_PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="`ip` is not installed") as caught:
        process.tool("ip")
    assert caught.value.fix == "sudo apt install iproute2"


def test_a_command_that_does_not_end_is_killed():
    with pytest.raises(SandboxError, match="no end after"):
        process.run(["/bin/sleep", "100"], timeout=0.2)


def test_nothing_is_inherited(monkeypatch):
    monkeypatch.setenv("SECRET", "x")
    assert "SECRET" not in process.run(["/usr/bin/env"]).out
