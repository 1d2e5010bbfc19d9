"""Expanding: input file to expected file. UPDATE_GOLDEN=1 rewrites the expected ones."""

import json
import os
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from nuages.cli.expand_extensions import command
from nuages.cli.list_extensions import command as list_command
from nuages.extension.annotate import annotated
from nuages.extension.expand import expand, merged
from nuages.extension.load import load
from nuages.extension.problems import ExtensionError
from nuages.extension.project import Project, find, read
from nuages.extension.write import to_yaml
from tests.extension.documents import cases

GOLDEN = Path(__file__).with_name("golden")
REWRITTEN = ("flow", "json", "anchor-across-keys", "document-marks")
"""Documents whose form leaves no room for further keys: written anew, with the comments above."""
KEPT = [case for case in cases("valid") if case.name not in REWRITTEN]
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
    expected = yaml.safe_load((GOLDEN / "notes.out.yaml").read_text())
    for directory in (tmp_path, charm):
        result = CliRunner().invoke(command, ["--project-dir", str(directory)], catch_exceptions=False)
        assert yaml.safe_load(result.output) == expected
        result = CliRunner().invoke(command, ["-p", str(directory), "--format", "json"], catch_exceptions=False)
        assert json.loads(result.output) == expected


def test_what_only_juju_refuses_is_told_and_expanded_as_charmcraft_does(tmp_path):
    text = (GOLDEN / "notes.in.yaml").read_text().replace("type: string", "type: text")
    (tmp_path / "charmcraft.yaml").write_text(text)
    result = CliRunner().invoke(command, ["-p", str(tmp_path)], catch_exceptions=False)
    assert result.exit_code == 0
    assert "unknown type 'text'" in result.stderr
    assert yaml.safe_load(result.stdout)["config"]["options"]["greeting"]["type"] == "text"


@pytest.mark.parametrize("case", KEPT, ids=lambda case: case.name)
def test_the_users_lines_stay_and_the_text_is_the_document(case):
    document = load(case.files["charmcraft.yaml"], "charmcraft.yaml")
    project = Project(document, experimental=True)
    lines = annotated(document, merged(project))
    assert load("".join(line.text + "\n" for line in lines), "again").data == merged(project)
    kept = {line.number: line.text for line in lines if not line.origin}
    source = document.text.splitlines()
    for number, text in enumerate(source, 1):
        if "#" in text and "extension" not in text and "only one" not in text:
            assert kept.get(number) == text
    assert list(kept) == sorted(kept)


def test_explain_names_the_line_or_the_extension(tmp_path):
    (tmp_path / "charmcraft.yaml").write_text((GOLDEN / "notes.in.yaml").read_text())
    arguments = ["-p", str(tmp_path), "--explain", "--format", "json"]
    rows = json.loads(CliRunner().invoke(command, arguments, catch_exceptions=False).output)
    by_text = {row["text"].strip(): row for row in rows}
    assert by_text["greeting:"]["line"] == 16
    assert by_text["greeting:"]["from"].endswith("charmcraft.yaml")
    assert by_text["django-allowed-hosts:"] == {
        "text": "    django-allowed-hosts:", "from": "django-framework", "line": None,
    }  # fmt: skip
    assert by_text["build-for:"]["from"] == "completed"


def test_list_extensions():
    shown = CliRunner().invoke(list_command, [], catch_exceptions=False).output
    assert "django-framework" in shown
    assert "ubuntu@26.04" in shown
    [row] = json.loads(CliRunner().invoke(list_command, ["--format", "json"], catch_exceptions=False).output)
    assert row == {
        "name": "django-framework",
        "bases": ["ubuntu@22.04", "ubuntu@24.04"],
        "experimental_bases": ["ubuntu@26.04"],
    }


def test_no_charmcraft_yaml(tmp_path):
    with pytest.raises(ExtensionError, match=r"cannot find charmcraft\.yaml") as caught:
        find(tmp_path)
    assert "--project-dir" in caught.value.fix
    (tmp_path / "manage.py").touch()
    with pytest.raises(ExtensionError) as caught:
        find(tmp_path)
    assert caught.value.fix.startswith("nuages init")


def test_no_directory(tmp_path):
    with pytest.raises(ExtensionError, match="is no directory"):
        find(tmp_path / "nothing")


def test_all_problems_are_told_at_once(tmp_path):
    (tmp_path / "charmcraft.yaml").write_text(
        "name: notes\ntype: charm\nbase: ubuntu@24.04\nplatforms: {amd64: null}\nextensions: [django-framework]\n"
        "storage: {}\nconfig:\n  options:\n    app-x: {type: string}\n    django-x: {type: string}\n"
        "summary: s\ndescription: d\n"
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


FLOW = """\
# about it all
name: notes  # its name
type: charm
summary: "no # comment"
base: ubuntu@24.04
platforms: {amd64: , # fast ones
  arm64: } # others
extensions: [django-framework]
config: {options: { # our own
  greeting: {type: string, default: "#1"}, # hello
}}
"""


WHOLE = """\
{ # about it all
  name: notes, # its name
  type: charm, base: ubuntu@24.04, platforms: {amd64: },
  extensions: [django-framework] }
"""


@pytest.mark.parametrize("text", [FLOW, WHOLE], ids=["keys", "whole"])
def test_comments_in_flow_style_are_kept(text: str):
    document = load(text, "charmcraft.yaml")
    shown = [line.text for line in annotated(document, merged(Project(document)))]
    for comment in ("# about it all", "# its name"):
        assert any(comment in line for line in shown)
    if text == FLOW:
        place = shown.index("platforms:")
        assert shown[place - 2 : place] == ["# fast ones", "# others"]
        assert {"# our own", "# hello"} <= set(shown)
