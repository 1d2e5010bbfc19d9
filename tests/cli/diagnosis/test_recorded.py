"""The pure part on what was observed on the real engine: each trap is named, and nothing on sound projects."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from pydantic import TypeAdapter

from nuages.cli.diagnosis.observations import Observations
from nuages.cli.diagnosis.report import document, lines
from nuages.cli.diagnosis.traps import TRAPS, explain
from tests.cli.diagnosis.expected import NAMES, RECORDED, check

ADAPTER = TypeAdapter(Observations)
SOUND = sorted(path.stem for path in RECORDED.glob("*.json") if path.stem not in NAMES)


def recorded(name: str) -> Observations:
    return ADAPTER.validate_json((RECORDED / f"{name}.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_a_trap_is_named(name):
    seen = recorded(name)
    check(name, document(seen, explain(seen))["findings"])


@pytest.mark.parametrize("name", SOUND)
def test_nothing_is_said_of_a_sound_project(name):
    assert explain(recorded(name)) == ()


def test_sound_projects_were_recorded():
    assert {"base", "notes"} <= set(SOUND)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_printed(name, golden):
    seen = recorded(name)
    golden(f"{name}.txt", "\n".join(lines(seen, explain(seen))) + "\n")


def test_codes_are_in_the_table():
    codes = {finding.code for name in NAMES for finding in explain(recorded(name))}
    assert codes <= {trap.code for trap in TRAPS}
    assert len({trap.code for trap in TRAPS}) == len(TRAPS)


@pytest.mark.parametrize("name", [*NAMES, *SOUND])
def test_the_document_reads_back(name):
    seen = recorded(name)
    assert ADAPTER.validate_python(json.loads(json.dumps(asdict(seen)))) == seen
