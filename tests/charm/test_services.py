"""Definitions of services as Pebble gives them back."""

import pytest

from nuages.charm import services


@pytest.mark.parametrize(
    ("written", "given_back"), [("60s", "1m0s"), ("35s", "35s"), ("90m", "1h30m0s"), ("0.5s", "500ms")]
)
def test_a_duration_that_pebble_writes_anew_is_no_change(written: str, given_back: str):
    assert services.same({"kill-delay": given_back}, {"kill-delay": written})


@pytest.mark.parametrize("other", ["61s", "1m", "", "soon", "1m 0s"])
def test_another_duration_is_one(other: str):
    assert services.same({"kill-delay": other}, {"kill-delay": "60s"}) == (other == "1m")


def test_empty_fields_are_no_change():
    assert services.same({"command": "x"}, {"command": "x", "summary": "", "after": [], "environment": {}})
    assert not services.same({"command": "x"}, {"command": "x", "environment": {"A": ""}})
