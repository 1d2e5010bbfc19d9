import pytest

from nuages.cli.diagnosis.observations import Reply, Visit
from nuages.cli.up.page import may_change, remark, wait

URL = "http://localhost:8000/"


def visit(*replies):
    return Visit("front", replies)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(URL, 200), ""),
        (Reply(URL, 404), "it has no page at / (404)"),
        (Reply(URL + "login/", 403), "it answers 403 at /login/"),
        (Reply(URL, 302, "http://sso.example/"), "it redirects to http://sso.example/"),
    ],
)
def test_what_is_worth_a_word(reply, words):
    assert remark(visit(reply)) == words


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(URL, failure="connection refused"), True),
        (Reply(URL, 502), True),
        (Reply(URL, 404, marks=("no-route",)), True),
        (Reply(URL, 404), False),
        (Reply(URL, 500), False),
        (Reply(URL, 400), False),
    ],
)
def test_what_may_yet_become_a_page(reply, expected):
    assert may_change(visit(reply)) is expected


def test_a_page_that_comes_late_is_waited_for(serve):
    left = [502, 502, 200]
    url = serve(lambda request: (left.pop(0), {}, b""))
    assert wait(url, seconds=5).last.status == 200


def test_nobody_there():
    assert wait("http://localhost:1/", seconds=0.1).last.failure
