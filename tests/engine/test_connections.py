"""Which ways there are into a server, on the real daemon; into real servers: tests/e2e/test_connect.py."""

import pytest

from nuages.engine.api.client import ApiError


@pytest.fixture(scope="module")
def model(engine, charm):
    engine.model = "ways"
    engine.client.put(engine.path())
    for name in ("one", "two"):
        engine.post("deploy", charm=str(charm), application=name)
    engine.done("integrate", endpoints=["one:ask", "two:serve"])
    return engine


@pytest.mark.parametrize(
    ("application", "endpoint", "said", "fix"),
    [
        ("x", "ask", 'application "x" not found', "applications: one, two"),
        ("one", "x", "cannot connect one x: one has no endpoint 'x' that requires something", "endpoints: ask"),
        ("one", "serve", "one has no endpoint 'serve'", "endpoints: ask"),
        ("two", "ask", "cannot connect two ask: it is not related", "nuages integrate two:ask APPLICATION, which prov"),
        ("one", "ask", "cannot connect one ask: two is no built-in application", "nuages show-unit two/0"),
    ],
)
def test_what_there_is_no_way_into(model, application, endpoint, said, fix):
    asked = {"application": application, "endpoint": endpoint}
    for ask in (
        lambda: model.post("connect", **asked),
        lambda: list(model.client.stream(model.path("connect"), **asked)),
    ):
        with pytest.raises(ApiError) as error:
            ask()
        assert said in str(error.value)
        assert fix in error.value.fix


def test_a_stopped_model_has_no_way(model):
    model.done("down")
    with pytest.raises(ApiError, match="the model is stopped"):
        model.post("connect", application="one", endpoint="ask")
