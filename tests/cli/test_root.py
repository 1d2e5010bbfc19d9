import importlib
import subprocess
import sys

import pytest

from nuages import __version__
from nuages.cli.commands import ALIASES, COMMANDS, INSTEAD
from nuages.errors import NuagesError


def test_every_command_has_a_module_and_one_line_of_help(nuages):
    listed = nuages("--help").out
    for entry in COMMANDS:
        if entry.name in {"pack", "expand-extensions"}:
            continue
        assert importlib.import_module(entry.module).command.callback is not None
        assert entry.name in listed


def test_help_imports_no_command(nuages):
    heavy = ("nuages.cli.status", "http.client", "rich", "ruamel.yaml")
    code = (
        f"import sys; from nuages.cli.root import run; run(['--help']); print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_version(nuages):
    assert nuages("--version").out.strip() == __version__
    assert nuages("version").out.strip() == __version__
    assert f'"nuages": "{__version__}"' in nuages("version", "--format", "json", "--all").out


def test_without_a_word_there_is_the_help(nuages):
    outcome = nuages()
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == nuages("--help").out


def test_an_unknown_command_names_the_nearest(nuages):
    outcome = nuages("stauts")
    assert outcome.code == 2
    assert "there is no command 'stauts'; did you mean 'status'?" in outcome.err
    assert outcome.err.startswith("error: cannot understand the command")
    assert "\nfix:   nuages --help\n" in outcome.err


def test_a_command_of_jujus_that_is_not_here_says_what_is(nuages):
    outcome = nuages("wait-for", "application", "notes")
    assert outcome.code == 2
    assert "there is no command 'wait-for'; juju has it, and here commands return when" in outcome.err


def test_what_stands_in_for_a_command_of_jujus_is_there_and_the_command_is_not():
    here = {entry.name for entry in COMMANDS} | set(ALIASES)
    assert not here & set(INSTEAD)
    named = [words.split()[0] for text in INSTEAD.values() for words in text.split("`")[1::2]]
    assert set(named) <= here and named


def test_a_group_alone_shows_its_help_and_no_error(nuages):
    outcome = nuages("snapshot")
    assert (outcome.code, outcome.err) == (2, "")
    assert outcome.out.startswith("Usage: nuages snapshot") and "restore" in outcome.out


def test_wrong_usage_is_2_and_names_the_commands_help(nuages):
    outcome = nuages("config")
    assert outcome.code == 2
    assert "missing argument" in outcome.err
    assert "fix:   nuages config --help" in outcome.err


@pytest.fixture
def failing(monkeypatch):
    def make(error):
        def fail(*args, **kwargs):
            raise error

        monkeypatch.setattr("nuages.cli.root.root.main", fail)

    return make


def test_an_error_is_two_lines_and_exit_1(nuages, failing):
    failing(NuagesError("cannot do it: because", fix="do this\nand that"))
    outcome = nuages("status")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "error: cannot do it: because\nfix:   do this\n       and that\n"


def test_debug_shows_the_traceback(nuages, failing):
    failing(NuagesError("cannot do it"))
    with pytest.raises(NuagesError):
        nuages("status", "--debug")


def test_debug_after_ssh_belongs_to_the_command(nuages, failing):
    failing(NuagesError("cannot do it"))
    assert nuages("ssh", "notes/0", "cmd", "--debug").code == 1


def test_a_fault_of_ours_is_no_traceback(nuages, failing):
    failing(ZeroDivisionError("oh"))
    outcome = nuages("status")
    assert outcome.code == 1
    assert "ZeroDivisionError" in outcome.err and "--debug" in outcome.err and "Traceback" not in outcome.err


def test_a_full_disk_is_no_fault_of_ours(nuages, failing):
    failing(OSError(28, "No space left on device"))
    outcome = nuages("status")
    assert outcome.code == 1
    assert outcome.err.startswith("error: cannot go on: a disk is full")
    assert "fault of nuages" not in outcome.err


def test_ctrl_c_is_130_and_says_how_to_go_on(nuages, failing, monkeypatch):
    monkeypatch.setenv("NUAGES_COMMAND", "./nuages")
    failing(KeyboardInterrupt())
    outcome = nuages("up", "examples/notes")
    assert outcome.code == 130
    assert (
        outcome.err.strip() == "interrupted: what is done stays done; `./nuages up examples/notes` continues from here"
    )


def test_commands_in_the_texts_of_other_rooms_can_be_pasted(nuages, failing, monkeypatch):
    monkeypatch.setenv("NUAGES_COMMAND", "./nuages")
    failing(NuagesError("cannot: nuages is stopped", fix="nuages up, or ./nuages down; see nuages.example"))
    assert nuages("status").err == (
        "error: cannot: nuages is stopped\nfix:   ./nuages up, or ./nuages down; see nuages.example\n"
    )
