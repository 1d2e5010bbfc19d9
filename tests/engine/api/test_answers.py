"""What the API makes of a query."""

import pytest
from starlette.requests import Request

from nuages.engine.api.answers import number
from nuages.engine.errors import EngineError


def query(text: str) -> Request:
    return Request({"type": "http", "query_string": text.encode(), "headers": []})


def test_numbers():
    assert number(query("lines=10"), "lines") == 10
    assert number(query(""), "lines") is None


@pytest.mark.parametrize("text", ["", "-1", "x", "1.5", "9" * 19, "9" * 5000, "²"])
def test_what_is_no_number_is_said_and_not_repeated_at_length(text):
    with pytest.raises(EngineError, match="a number is needed") as error:
        number(query(f"lines={text}"), "lines")
    assert len(str(error.value)) < 100
