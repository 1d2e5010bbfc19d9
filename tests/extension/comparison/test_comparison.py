"""Ours and the real charmcraft on the same documents: those kept here, and generated ones."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from nuages.extension import codes
from tests.extension.comparison import ours
from tests.extension.comparison import theirs as charmcraft
from tests.extension.comparison.generated import documents
from tests.extension.documents import Case, cases

WHY = "charmcraft is not on this machine: `make charmcraft` fetches it (130 MB, from PyPI)"
INTERPRETER = charmcraft.python()  # now: tests of the build give themselves another cache
pytestmark = [pytest.mark.slow, pytest.mark.skipif(INTERPRETER is None, reason=WHY)]


@pytest.fixture(scope="module")
def theirs():
    assert INTERPRETER is not None
    with charmcraft.running(INTERPRETER) as running:
        yield running


def test_there_are_enough_documents():
    assert len(cases("valid")) >= 60
    assert len(cases("invalid")) >= 60


@pytest.mark.parametrize("case", cases("valid"), ids=lambda case: case.name)
def test_a_valid_document_expands_alike(theirs, case):
    document, problems = ours.expand(case)
    assert problems == ()
    answer = theirs.expand(case)
    assert "error" not in answer, answer
    assert ours.comparable(document or {}) == ours.comparable(answer["document"])


@pytest.mark.parametrize("case", cases("invalid"), ids=lambda case: case.name)
def test_an_invalid_document_is_refused_by_both(theirs, case):
    document, problems = ours.expand(case)
    assert document is None
    answer = theirs.expand(case)
    assert "error" in answer
    assert ours.names(problems, answer["error"]), (answer["error"], problems)


@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck.__members__.values()))
@given(text=documents)
@pytest.mark.timeout(600)
def test_generated_documents(theirs, text):
    case = Case("generated", {"charmcraft.yaml": text}, experimental=True)
    document, problems = ours.expand(case)
    answer = theirs.expand(case)
    if {codes.BY_NAME[problem.code].by for problem in problems} in ({codes.LOST}, {codes.LOST, codes.JUJU}):
        assert "error" not in answer, (text, problems, answer)
        return  # charmcraft takes the document, and the option is lost: refused here on purpose
    assert (document is None) == ("error" in answer), (text, problems, answer.get("error"))
    if document is not None:
        assert ours.comparable(document) == ours.comparable(answer["document"]), text
    else:
        assert ours.names(problems, answer["error"]), (text, answer["error"], problems)
