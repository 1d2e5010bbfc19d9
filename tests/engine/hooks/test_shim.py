"""The shim and the server: what a charm's subprocess sends and gets back, in all three languages."""

import asyncio
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

import nuages.engine.hooks
from nuages.engine import programs
from nuages.engine.hooks import install
from nuages.engine.hooks.install import install_tools
from nuages.engine.hooks.server import ToolServer
from nuages.engine.programs import pythons
from nuages.engine.state import Hook
from tests.engine.simulation import World

SHIMS = Path(nuages.engine.hooks.__file__).parent / "shims"


@pytest.fixture(params=["compiled", "perl", "python"])
def tools(request, tmp_path, monkeypatch):
    if request.param == "compiled":
        programs.ensure(install.COMPILED)
    else:
        monkeypatch.setattr(install, "present", lambda program: None)
    if request.param == "perl" and not shutil.which("perl"):
        pytest.skip("no perl on this machine")
    if request.param == "python":
        monkeypatch.setattr(install, "PERL", Path("/nonexistent"))
    tools = install_tools(tmp_path / "tools", pythons.find("3.12"))
    magic = {"compiled": b"\x7fELF", "perl": b"#!/usr/bin/perl"}.get(request.param, b"#!")
    assert (tools / ".shim").read_bytes().startswith(magic)
    return tools


@pytest.fixture
def world():
    world = World().deploy("one")
    world.pod("one/0")
    world.run()
    return world


def call(tools, tmp_path, world, *argv, stdin=b"", stale=False, hook=None, script=""):
    """Run a tool as a charm's subprocess would, against the real server; return the process and the context."""
    context = world.context("one/0", hook or Hook("config-changed"))

    async def work():
        server = ToolServer(tmp_path / "agent.socket")
        await server.start()
        try:
            with server.open(context) as number:
                environment = {
                    "JUJU_CONTEXT_ID": "another" if stale else number,
                    "JUJU_AGENT_SOCKET_ADDRESS": str(tmp_path / "agent.socket"),
                }
                command = [str(tools / argv[0]), *argv[1:]]
                return await asyncio.to_thread(
                    subprocess.run,
                    ["/bin/sh", "-c", script, *command] if script else command,
                    env=environment,
                    input=stdin,
                    capture_output=True,
                    timeout=30,
                )
        finally:
            await server.stop()

    return asyncio.run(work()), context


def test_output_and_exit_code(tools, tmp_path, world):
    done, _ = call(tools, tmp_path, world, "config-get", "--format=json", "say")
    assert (done.returncode, done.stdout, done.stderr) == (0, b'"nothing"\n', b"")
    done, _ = call(tools, tmp_path, world, "relation-list", "-r", "x:9")
    assert done.returncode == 2
    assert done.stderr == b'ERROR invalid value "x:9" for option -r: relation not found\n'


def test_arguments_arrive_whole(tools, tmp_path, world):
    text = "two\nlines, 'quotes', ünïcode, =, and --file -"
    _, context = call(tools, tmp_path, world, "juju-log", "--log-level", "INFO", "--", text)
    assert context.sink.lines == [("INFO", text)]


def test_bytes_that_are_no_text_do_not_hurt(tools, tmp_path, world):
    done, context = call(tools, tmp_path, world, "juju-log", "--", os.fsdecode(b"\xff\xfe"))
    assert done.returncode == 0
    assert len(context.sink.lines) == 1


def test_stdin_is_read_only_when_asked_for(tools, tmp_path, world):
    done, context = call(tools, tmp_path, world, "state-set", "--file", "-", stdin=b'{"a": "1"}')
    assert (done.returncode, dict(context.unit.memory)) == (0, {"a": "1"})
    reading, writing = os.pipe()  # a stdin that never ends: a tool that read it would hang
    try:
        environment = {"JUJU_CONTEXT_ID": "x", "JUJU_AGENT_SOCKET_ADDRESS": str(tmp_path / "nobody")}
        done = subprocess.run(
            [str(tools / "is-leader")], check=False, env=environment, stdin=reading, capture_output=True, timeout=30
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"ERROR cannot reach the agent\n")


def test_files_are_read_where_the_charm_is(tools, tmp_path, world):
    path = tmp_path / "content"
    path.write_text("s3cret = x\nand more\n")
    done, context = call(tools, tmp_path, world, "secret-add", "--label", "x", f"key#file={path}")
    assert done.returncode == 0, done
    (secret,) = context.draft.secrets.values()
    assert secret.revisions[1].content == {"key": "s3cret = x\nand more\n"}
    done, _ = call(tools, tmp_path, world, "secret-add", "key#file=/nonexistent")
    assert (done.returncode, done.stderr) == (1, b"ERROR open /nonexistent: no such file or directory\n")
    path.write_text("a: b\n")
    done, context = call(tools, tmp_path, world, "state-set", f"--file={path}")
    assert dict(context.unit.memory) == {"a": "b"}


@pytest.mark.parametrize(
    "argv",
    [
        ["action-set", "a#file=/nonexistent"],
        ["relation-set", "-r", "0", "a#file=/nonexistent"],
        ["status-set", "active", "--", "--file=/nonexistent"],
        ["juju-log", "x#file=/nonexistent"],
        ["secret-add", "--label", "x", "--", "key=y#file=/nonexistent"],
    ],
)
def test_what_only_looks_like_a_file_is_not_opened(tools, tmp_path, world, argv):
    done, _ = call(tools, tmp_path, world, *argv)
    assert b"nonexistent" not in done.stderr
    assert done.stderr == b"ERROR not running an action\n" or done.returncode == 0


def test_a_flag_without_its_value_is_wrong_use(tools, tmp_path, world):
    done, _ = call(tools, tmp_path, world, "state-set", "--file")
    assert (done.returncode, done.stderr) == (2, b"ERROR option needs an argument: --file\n")
    done, _ = call(tools, tmp_path, world, "is-leader", "--file", "/nonexistent")
    assert (done.returncode, done.stderr) == (2, b"ERROR option provided but not defined: --file\n")


def test_files_that_cannot_be_read(tools, tmp_path, world):
    for path, reason in ((tmp_path, "is a directory"), (tmp_path / "a" / "b", "no such file or directory")):
        for argv in (["secret-add", f"key#file={path}"], ["state-set", "--file", str(path)]):
            done, context = call(tools, tmp_path, world, *argv)
            assert (done.returncode, done.stdout) == (1, b"")
            assert done.stderr.startswith(b"ERROR ")
            assert done.stderr.endswith(reason.encode() + b"\n")
            assert done.stderr.count(b"\n") == 1
            assert not context.draft.secrets


def test_secret_content_that_is_no_text_is_refused_without_being_shown(tools, tmp_path, world):
    path = tmp_path / "content"
    path.write_bytes(b"hidden \xff")
    done, _ = call(tools, tmp_path, world, "secret-add", f"key#file={path}")
    assert done.returncode == 1
    assert b"hidden" not in done.stderr


def test_empty_and_odd_arguments(tools, tmp_path, world):
    path = tmp_path / "a=b c\nd"
    path.write_text("")
    done, context = call(tools, tmp_path, world, "secret-add", f"key#file={path}", "other=", "third==x=")
    assert done.returncode == 0, done
    (secret,) = context.draft.secrets.values()
    assert secret.revisions[1].content == {"key": "", "other": "", "third": "=x="}
    done, context = call(tools, tmp_path, world, "juju-log", "", "", "")
    assert context.sink.lines == [("INFO", "  ")]


def test_an_agent_that_goes_away_is_one_line(tools, tmp_path):
    """In the middle of a large request, and before the reply."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "agent"))
    listener.listen()
    path = tmp_path / "large"
    path.write_bytes(b"x" * 8_000_000)
    environment = {"JUJU_CONTEXT_ID": "x", "JUJU_AGENT_SOCKET_ADDRESS": str(tmp_path / "agent")}
    for argv in (["state-set", "--file", str(path)], ["is-leader"]):
        process = subprocess.Popen([str(tools / argv[0]), *argv[1:]], env=environment, stderr=subprocess.PIPE)
        connection, _ = listener.accept()
        connection.recv(10)
        connection.close()
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (1, b"ERROR lost the agent\n")
    listener.close()


def test_a_closed_stdin(tools, tmp_path, world):
    """Some supervisors close it."""
    done, _ = call(tools, tmp_path, world, "is-leader", script='exec "$0" --format=json <&-')
    assert (done.returncode, done.stdout, done.stderr) == (0, b"true\n", b"")


def test_a_stale_context_is_refused(tools, tmp_path, world):
    done, context = call(tools, tmp_path, world, "juju-log", "x", stale=True)
    assert done.returncode == 1
    assert b"no such hook context" in done.stderr
    assert context.sink.lines == []


def test_large_values_pass(tools, tmp_path, world):
    text = "x" * 3_000_000
    done, context = call(tools, tmp_path, world, "state-set", "--file", "-", stdin=f'{{"a": "{text}"}}'.encode())
    assert done.returncode == 0
    assert context.unit.memory["a"] == text


def test_the_interpreter_has_both_its_names(tmp_path):
    python = pythons.find("3.12")
    tools = install_tools(tmp_path / "tools", python)
    assert (tools / "python3").readlink() == (tools / f"python{python.version}").readlink() == python.executable


def test_a_compiled_shim_that_does_not_work_is_not_used(tmp_path, monkeypatch):
    broken = tmp_path / "hooktool"
    broken.write_bytes(b"\x7fELF and nothing else")
    broken.chmod(0o755)
    monkeypatch.setattr(install, "present", lambda program: broken)
    tools = install_tools(tmp_path / "tools", pythons.find("3.12"))
    assert (tools / ".shim").read_bytes().startswith(b"#!")


@pytest.mark.parametrize(
    ("machine", "here", "wanted"),
    [
        ("x86_64", {"pebble", "statsd_exporter"}, False),
        ("x86_64", {"pebble", "statsd_exporter", "go"}, True),
        ("aarch64", {"pebble"}, True),
        ("riscv64", set(), False),
        ("x86_64", {"hooktool", "go"}, False),
    ],
)
def test_it_is_built_where_go_is_or_comes_anyway(monkeypatch, machine, here, wanted):
    monkeypatch.setattr(install, "present", lambda program: Path("/") if program.name in here else None)
    assert install.worth_building(machine) == (("hooktool",) if wanted else ())


def test_a_request_larger_than_the_agent_takes(tmp_path, tools):
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(70 * 1024 * 1024)
    environment = {"JUJU_CONTEXT_ID": "x", "JUJU_AGENT_SOCKET_ADDRESS": str(tmp_path / "nobody")}
    done = subprocess.run(
        [str(tools / "state-set"), "--file", str(path)], check=False, env=environment, capture_output=True, timeout=60
    )
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert done.stderr.startswith(b"ERROR ")
