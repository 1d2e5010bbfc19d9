"""Whatever the files hold: no traceback, and each message has its file and line."""

from __future__ import annotations

import json
import string

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docs.cases import CHARM, sound
from nuages.build.check import check as check_files
from nuages.cli.check_formats import WRITERS
from nuages.extension.annotate import annotated
from nuages.extension.django.detect import detect
from nuages.extension.django.tree import Tree
from nuages.extension.expand import expand_as_charmcraft, merged
from nuages.extension.fixes import changed
from nuages.extension.load import load
from nuages.extension.model import FIELDS
from nuages.extension.problems import ExtensionError, Problem
from nuages.extension.project import Project
from nuages.extension.survey import ignores, rules
from nuages.extension.survey.sources import Survey
from tests.extension.comparison.generated import documents
from tests.extension.documents import cases

FILES = sound()
TREE = Tree({name: text for name, text in FILES.items() if not name.startswith("charm/")})
FINDINGS = detect(TREE, "notes")
WHOLE = [case.files["charmcraft.yaml"] for kind in ("valid", "invalid") for case in cases(kind)]

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["ubuntu@24.04", "amd64", "django-framework", "string", "oauth", "charm", "22.04", "\ud800", "on"]),
)  # fmt: skip
keys = st.one_of(
    st.sampled_from([*FIELDS, "options", "interface", "optional", "default", "build-on", "build-for", "ingress"]),
    st.text(string.printable, max_size=6),
    st.integers(),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)
tops = st.dictionaries(keys, values, max_size=8)


DAMAGE = (
    *("", ":", "- ", "\t", "[", "{", "&a ", "*a", "!!set ", "\x00", '"', "|", "<<: ", "? ", "#", "\r", "---\n", "%"),
    "\u2028",
)


@st.composite
def damaged(draw) -> str:
    """Return a document of ours with some characters taken away, doubled or put in."""
    text = draw(st.sampled_from(WHOLE))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, max(len(text) - 1, 0)))
        end = draw(st.integers(start, min(start + 12, len(text))))
        new = draw(st.sampled_from([*DAMAGE, text[start:end] * 2]))
        text = text[:start] + new + text[end:]
    return text


texts = st.one_of(
    damaged(),
    documents,
    st.text(max_size=60),
    tops.map(lambda top: yaml.dump(top, allow_unicode=True)),
    tops.map(lambda top: json.dumps({str(key): value for key, value in top.items()}, default=str)),
)


def placed(problems: tuple[Problem, ...] | list[Problem]) -> None:
    for problem in problems:
        assert problem.file, problem
        assert problem.line >= 1, problem
        assert problem.column >= 1, problem
        assert problem.why, problem
        assert problem.fix, problem


def whole(text: str) -> None:
    """Everything that is done with charmcraft.yaml."""
    file = "charmcraft.yaml"
    try:
        document = load(text, file)
    except ExtensionError as error:
        assert error.problems
        placed(error.problems)
        return
    project = Project(document)
    found = rules.check(Survey(project, load(FILES["rockcraft.yaml"], "rockcraft.yaml"), FINDINGS, TREE))
    placed(found)
    kept, _ = ignores.silence(found, ignores.find({file: text}, file), frozenset())
    placed(kept)
    for mended in changed(kept, {file: text}).values():
        assert mended != text
    try:
        expanded, notes = expand_as_charmcraft(project)
    except ExtensionError as error:
        placed(error.problems)
        return
    placed(notes)
    assert expanded == merged(project)
    lines = annotated(document, expanded)
    assert load("".join(f"{line.text}\n" for line in lines), file).data == expanded


def around(text: str, name: str, root) -> None:
    """Everything that is done with the other files of a project."""
    for file, content in {**FILES, name: text}.items():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8", "surrogatepass"))
    report = check_files(root / "charm")
    placed(report.problems)
    for writer in WRITERS.values():
        assert isinstance(writer(report), str)


FAST = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
SLOW = settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))


@FAST
@given(text=texts)
def test_charmcraft_yaml(text):
    whole(text)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@SLOW
@given(text=texts)
def test_ten_thousand(text):
    whole(text)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("project")


@settings(FAST, max_examples=60)
@given(text=texts, name=st.sampled_from([CHARM, "rockcraft.yaml", "charm/paas-config.yaml", "charm/metadata.yaml"]))
def test_files_around(root, text, name):
    around(text, name, root)
    (root / name).unlink()


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(FAST, max_examples=2000)
@given(text=texts, name=st.sampled_from(["rockcraft.yaml", "charm/paas-config.yaml", "charm/metadata.yaml"]))
def test_two_thousand_files_around(root, text, name):
    around(text, name, root)
    (root / name).unlink()
