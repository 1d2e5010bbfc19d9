"""Expanding: input file to expected file. UPDATE_GOLDEN=1 rewrites the expected ones."""

import os
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from nuages.cli.expand_extensions import command
from nuages.extension.expand import expand
from nuages.extension.load import load
from nuages.extension.problems import ExtensionError
from nuages.extension.project import Project, find, read
from nuages.extension.write import to_yaml

GOLDEN = Path(__file__).with_name("golden")
CASES = sorted(path.name.removesuffix(".in.yaml") for path in GOLDEN.glob("*.in.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_golden(case):
    document = load((GOLDEN / f"{case}.in.yaml").read_text(), "charmcraft.yaml")
    text = to_yaml(expand(Project(document, experimental=True)))
    expected = GOLDEN / f"{case}.out.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(text)
    assert text == expected.read_text()
    assert "extensions" not in yaml.safe_load(text)


def test_expanding_twice_changes_nothing_more():
    document = load((GOLDEN / "notes.in.yaml").read_text(), "charmcraft.yaml")
    once = to_yaml(expand(Project(document)))
    assert to_yaml(expand(Project(load(once, "charmcraft.yaml")))) == once


def test_the_command_finds_the_charm_beside_and_below(tmp_path):
    charm = tmp_path / "charm"
    charm.mkdir()
    (charm / "charmcraft.yaml").write_text((GOLDEN / "notes.in.yaml").read_text())
    expected = (GOLDEN / "notes.out.yaml").read_text()
    for directory in (tmp_path, charm):
        result = CliRunner().invoke(command, ["--project-dir", str(directory)], catch_exceptions=False)
        assert result.output == expected


def test_no_charmcraft_yaml(tmp_path):
    with pytest.raises(ExtensionError, match=r"cannot find charmcraft\.yaml") as caught:
        find(tmp_path)
    assert "--project-dir" in caught.value.fix


def test_no_directory(tmp_path):
    with pytest.raises(ExtensionError, match="is no directory"):
        find(tmp_path / "nothing")


def test_all_problems_are_told_at_once(tmp_path):
    (tmp_path / "charmcraft.yaml").write_text(
        "name: notes\ntype: charm\nbase: ubuntu@24.04\nplatforms: {amd64: null}\nextensions: [django-framework]\n"
        "storage: {}\nconfig:\n  options:\n    app-x: {type: string}\n    django-x: {type: string}\n"
    )
    with pytest.raises(ExtensionError) as caught:
        expand(read(tmp_path))
    assert [(problem.line, problem.code) for problem in caught.value.problems] == [
        (6, "refused-key"),
        (9, "dropped-prefix"),
        (10, "reserved-prefix"),
    ]
    for problem in caught.value.problems:
        assert str(problem) in str(caught.value)
        assert problem.fix in str(caught.value)
