"""Evaluated problems: each on a project whose settings are really imported, in the sandbox; and its near miss."""

import os
from pathlib import Path

import pytest

from docs.cases import cases
from nuages.build.check import check
from nuages.build.probe import probe
from nuages.extension import codes

ROWS = [row for row in codes.CODES if row.by == codes.EVALUATED]
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def evaluated(case, kind, tmp_path):
    root = tmp_path / "notes"
    root.mkdir()
    case.write(kind, root)
    os.chdir(root)
    return check(Path("charm"), probe(root, Path("charm")), evaluated=True).problems


@pytest.fixture(autouse=True)
def _back(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # undone afterwards, wherever the test has gone


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_it_fires_with_its_place(row, tmp_path):
    found = {problem.code: problem for problem in evaluated(cases()[row.name], "fires", tmp_path)}
    problem = found[row.name]
    assert problem.file == "notes/notes/settings.py"
    assert problem.line > 0
    assert problem.fix


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_near_miss_is_clean(row, tmp_path):
    assert [str(problem) for problem in evaluated(cases()[row.name], "near", tmp_path)] == []
