"""docs/reference is what the code's tables say, and the tables say something about everything."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from docs import generate
from docs.writers import commands, keys, options, problems, programs, services, statuses, tools, variables
from docs.writers.commands import load
from nuages.charm.interfaces import REGISTRY as INTERFACES
from nuages.charm.statuses import CONDITIONS
from nuages.cli.commands import COMMANDS, Entry
from nuages.contract.options import TYPES
from nuages.engine.hooks.tools import TOOLS
from nuages.engine.programs.table import PROGRAMS
from nuages.extension import codes
from nuages.services import REGISTRY
from tests.docs.pages import ROOT


def test_the_reference_is_up_to_date():
    found = list(generate.differences(generate.pages(), generate.REFERENCE))
    assert not found, "the reference is out of date: " + "; ".join(found) + "\nfix:   make docs"


def test_the_reference_is_the_same_in_another_process():
    """No dates, no paths of the machine, no order that depends on the process."""
    done = subprocess.run(
        [sys.executable, "-m", "docs.generate", "--check"],
        cwd=ROOT,
        env={"PYTHONHASHSEED": "7", "HOME": "/nonexistent", "COLUMNS": "40", "NUAGES_COMMAND": "./elsewhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_differences_are_found(tmp_path):
    generate.write({"cli/up.md": "one\n", "options.md": "two\n"}, tmp_path)
    (tmp_path / "options.md").write_text("three\n")
    (tmp_path / "old.md").write_text("four\n")
    assert list(generate.differences({"cli/up.md": "one\n", "options.md": "two\n", "new.md": "\n"}, tmp_path)) == [
        "new.md: missing",
        "options.md: out of date",
        "old.md: nothing in the code makes it",
    ]


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_is_documented(entry: Entry):
    command = load(entry)
    assert command.help, f"nuages {entry.name} has no help"
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"nuages {entry.name} {parameter.opts[0]} has no help"
        else:
            assert str(parameter.human_readable_name).upper() == parameter.human_readable_name, parameter.name


def test_every_key_code_and_command_is_documented():
    assert [gap for writer in (commands, keys, problems) for gap in writer.gaps()] == []


def test_make_docs_fails_on_what_is_not_documented(monkeypatch, capsys):
    monkeypatch.setitem(keys.FIELDS, "novelty", keys.FIELDS["title"])
    monkeypatch.delitem(codes.BY_NAME, "yaml")
    monkeypatch.setattr(commands, "COMMANDS", (Entry("up", "", "Run this project"),))
    assert generate.main(["--check"]) == 1
    said = capsys.readouterr().err
    assert "key novelty is not explained" in said
    assert "code yaml is not in" in said
    assert "command up has no help" in said


def test_every_type_of_option_has_an_example():
    assert {option.type for option, _ in options.EXAMPLES} == set(TYPES)


def test_every_interface_has_an_example():
    assert {interface.name for interface in INTERFACES} == set(variables.EXAMPLES)


def test_every_application_says_how_it_differs():
    assert set(services.DIFFERENCES) == set(REGISTRY)


def test_every_status_has_its_reason_and_a_level_of_the_page():
    for condition in CONDITIONS:
        assert condition.why, condition.name
        assert condition.level in statuses.LEVELS, condition.name


def test_every_hook_tool_says_what_it_does():
    for name, tool in TOOLS.items():
        assert tools.summary(tool), name


def test_every_program_has_its_purpose():
    assert set(programs.PURPOSES) == set(PROGRAMS)
