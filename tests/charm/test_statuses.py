"""The table of statuses: every row has a test, no text is too long, a command is whole or not there."""

import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.charm import statuses
from nuages.charm.statuses import CONDITIONS, LIMIT, Condition

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.name)
def test_row_names_a_test_that_is_there(condition: Condition) -> None:
    path, _, name = condition.test.partition("::")
    assert re.search(rf"^def {re.escape(name)}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_table_has_every_row_once() -> None:
    defined = [value for value in vars(statuses).values() if isinstance(value, Condition)]
    assert sorted(defined, key=str) == sorted(CONDITIONS, key=str)
    assert len({condition.name for condition in CONDITIONS}) == len(CONDITIONS)
    assert {condition.level for condition in CONDITIONS} == {"active", "blocked", "maintenance", "waiting"}
    assert all(condition.why for condition in CONDITIONS)


@given(st.sampled_from(CONDITIONS), st.data())
def test_text_fits_and_its_command_is_whole(condition: Condition, data: st.DataObject) -> None:
    names = {name for text in (condition.text, condition.command) for _, name, _, _ in string.Formatter().parse(text)}
    words = {name: data.draw(st.text(max_size=150)) for name in names if name}
    status = condition(**words)
    assert status.level == condition.level
    assert len(status.message) <= LIMIT
    assert "\n" not in status.message
    fields = {name: " ".join(value.split()) for name, value in words.items()}
    command = condition.command.format(**fields)
    if condition.command and len(command) + 2 <= LIMIT - statuses.SHORTEST:
        assert status.message.endswith(": " + command)


def test_blocked_rows_say_what_to_type_or_whose_words_they_repeat() -> None:
    silent = {condition.name for condition in CONDITIONS if condition.level == "blocked" and not condition.command}
    assert silent == {
        "rock-unusable",
        "no-database-endpoint",
        "migration-failed",
        "crashed",
        "configuration-refused",
        "service-failed",
        "pebble-failed",
    }
