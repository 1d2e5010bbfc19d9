"""Every code: one project in which it fires, and a near miss in which nothing at all is found."""

import pytest

from docs.cases import cases
from docs.writers.problems import report
from nuages.extension import codes
from nuages.extension.fixes import FIXABLE

CASES = cases()
READ = [row for row in codes.CODES if row.by != codes.EVALUATED]


def test_every_code_has_a_case_and_every_case_a_code():
    assert set(CASES) == set(codes.BY_NAME)
    assert len(codes.BY_NAME) == len(codes.CODES)


def test_the_sound_project_has_no_problem():
    assert report(CASES["text-length"], "near").problems == ()


@pytest.mark.parametrize("row", READ, ids=lambda row: row.name)
def test_it_fires(row):
    told = report(CASES[row.name], "fires")
    found = [problem for problem in (*told.problems, *told.notes) if problem.code == row.name]
    assert found
    for problem in found:
        assert problem.file
        assert problem.why
        assert problem.fix
        assert problem.severity in ("error", "warning", "note")
        assert (problem in told.notes) == (problem.severity == "note")


@pytest.mark.parametrize("row", READ, ids=lambda row: row.name)
def test_the_near_miss_is_clean(row):
    told = report(CASES[row.name], "near")
    assert [str(problem) for problem in told.problems] == []
    assert row.name not in [note.code for note in told.notes]


def test_the_table_says_which_are_mended():
    assert {row.name for row in codes.CODES if row.fixable} == FIXABLE
