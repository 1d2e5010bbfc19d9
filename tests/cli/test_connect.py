"""`nuages connect`: what it asks of the daemon, and what it becomes or prints."""

import os

import pytest

from tests.cli.fake_daemon import Refuse

ROUTE = "/v1/models/notes/connect"
ANSWER = {"argv": ["nsenter", "psql", "-c", "select 1"], "environment": {"PGPASSWORD": "pw"}}


class Replaced(BaseException):
    pass


@pytest.fixture
def replaced(monkeypatch):
    def replace(program, argv, environment):
        raise Replaced(program, argv, environment)

    monkeypatch.setattr(os, "execvpe", replace)
    monkeypatch.setenv("TERM", "vt100")


@pytest.mark.parametrize(
    ("words", "argv"),
    [
        (["notes", "postgresql"], []),
        (["notes", "postgresql", "--", "-c", "select 1"], ["-c", "select 1"]),
        (["notes", "postgresql", "--", "--print", "--", "-m"], ["--print", "--", "-m"]),
    ],
)
def test_it_becomes_the_client_with_credentials_in_the_environment_alone(daemon, nuages, replaced, words, argv):
    daemon.on("POST", ROUTE, ANSWER)
    with pytest.raises(Replaced) as became:
        nuages("connect", *words)
    assert became.value.args == ("nsenter", ANSWER["argv"], {"TERM": "vt100", "PGPASSWORD": "pw"})
    assert daemon.bodies("POST", ROUTE) == [
        {"application": "notes", "endpoint": "postgresql", "argv": argv, "tty": False}
    ]


def test_print_shows_the_url_and_says_when_its_port_is_closed(daemon, nuages):
    daemon.on("GET", ROUTE, ({"url": "postgresql://u:p@127.0.0.1:5/notes"},))
    outcome = nuages("connect", "notes", "postgresql", "--print")
    assert outcome.out == "postgresql://u:p@127.0.0.1:5/notes\n"
    assert outcome.code == 1
    assert "cannot keep the port of notes postgresql open" in outcome.err
    assert daemon.bodies("GET", ROUTE) == [{"application": "notes", "endpoint": "postgresql"}]


def test_a_client_that_cannot_be_started(daemon, nuages):
    daemon.on("POST", ROUTE, ANSWER | {"argv": ["/no/such/program"]})
    outcome = nuages("connect", "notes", "postgresql")
    assert (outcome.code, "/no/such/program: No such file" in outcome.err) == (1, True)


def test_print_takes_no_words(daemon, nuages):
    outcome = nuages("connect", "--print", "notes", "postgresql", "--", "-c", "x")
    assert outcome.code == 2
    assert "--print runs no client" in outcome.err
    assert nuages("connect", "notes").code == 2


def test_a_refusal_is_the_daemons(daemon, nuages):
    daemon.on("POST", ROUTE, Refuse("cannot connect notes s3: it is not related", "nuages integrate notes:s3 x"))
    outcome = nuages("connect", "notes", "s3")
    assert outcome.err == "error: cannot connect notes s3: it is not related\nfix:   nuages integrate notes:s3 x\n"
