import sys
from pathlib import Path

import pytest

from nuages.cli.errors import CliError
from nuages.cli.session import Session
from nuages.cli.up.database import check, expected
from nuages.cli.up.plan import Project, Requirement
from nuages.engine.api.client import Client

PROJECT = Project(
    "notes",
    Path("x"),
    "c",
    {"django-app-image": Path("i")},
    (Requirement("ingress", "ingress"), Requirement("postgresql", "postgresql_client", optional=False)),
)
RELATED = frozenset({"ingress", "postgresql"})


@pytest.fixture
def ask(daemon):
    """Let the command inside the container be a Python program of the test's."""

    def run(program):
        daemon.on("POST", "/v1/models/notes/enter", {"argv": [sys.executable, "-c", program]})
        return check(Session(Client(daemon.directory / "daemon.sock"), "notes"), PROJECT, RELATED)

    return run


def test_the_related_database_is_expected():
    assert expected(PROJECT, RELATED) == ("postgresql", "postgresql")
    assert expected(PROJECT, frozenset({"ingress"})) is None


def test_postgresql_in_use_is_fine(ask, daemon):
    assert ask("print('5 objects imported'); print('nuages-database=postgresql')") == ()
    (body,) = daemon.bodies("POST", "/v1/models/notes/enter")
    assert (body["unit"], body["container"]) == ("notes/0", "django-app")


def test_sqlite_in_use_is_no_success(ask):
    with pytest.raises(CliError) as raised:
        ask("print('nuages-database=sqlite')")
    assert "Django uses sqlite" in str(raised.value)
    assert "POSTGRESQL_DB_NAME" in raised.value.fix


def test_a_django_that_does_not_say_is_a_note(ask):
    (note,) = ask("import sys; sys.exit('no module named x')")
    assert note == "could not ask Django which database it uses: no module named x"
