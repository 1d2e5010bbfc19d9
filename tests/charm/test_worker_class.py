"""The web service's command for each worker class, on rocks that have what it needs and on others."""

import pytest

from nuages.charm import worker_class
from nuages.charm.statuses import Status
from tests.charm.conftest import COMMAND

ASGI = COMMAND.replace("wsgi", "asgi")
BOTH = ("notes.asgi", "notes.wsgi")
NEW = (*BOTH, "gunicorn.workers.gasgi")
OLD = (*BOTH, "uvicorn_worker")
UVICORN = "uvicorn_worker.UvicornWorker"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (COMMAND, COMMAND.replace("sync", "gevent")),
        ("gunicorn -k sync a:b", "gunicorn -k gevent a:b"),
        ("gunicorn --worker-class=sync a:b", "gunicorn --worker-class=gevent a:b"),
        ("gunicorn --worker-class sync 'a:b'", "gunicorn --worker-class gevent 'a:b'"),
        ("gunicorn a:b", None),
    ],
)
def test_word_behind_the_flag(command: str, expected: str | None) -> None:
    assert worker_class.replaced(command, "gevent") == expected


@pytest.mark.parametrize(
    ("command", "option", "modules", "expected"),
    [
        (COMMAND, "", (), COMMAND),
        (COMMAND, "sync", (), COMMAND),
        (COMMAND, "gthread", (), COMMAND.replace("sync", "gthread")),
        (COMMAND, "gevent", ("gevent",), COMMAND.replace("sync", "gevent")),
        (COMMAND.replace("sync", "gevent"), "", (), COMMAND.replace("sync", "gevent")),
        (COMMAND, "asgi", NEW, ASGI.replace("sync", "asgi")),
        (COMMAND, "asgi", OLD, ASGI.replace("sync", UVICORN)),
        (ASGI.replace("sync", "asgi"), "", NEW, ASGI.replace("sync", "asgi")),
        (ASGI.replace("sync", "asgi"), "", OLD, ASGI.replace("sync", UVICORN)),
        (ASGI.replace("sync", UVICORN), "", OLD, ASGI.replace("sync", UVICORN)),
        (ASGI.replace("sync", "asgi"), "gthread", NEW, COMMAND.replace("sync", "gthread")),
        ("gunicorn app:make -k sync", "asgi", NEW, "gunicorn app:make -k asgi"),
    ],
)
def test_command(command: str, option: str, modules: tuple[str, ...], expected: str) -> None:
    assert worker_class.command(command, option, modules, "notes") == expected


@pytest.mark.parametrize(
    ("command", "option", "modules", "message"),
    [
        (
            COMMAND,
            "gevent",
            BOTH,
            "worker class gevent: needs gunicorn[gevent] in the rock: juju config notes --reset webserver-worker-class",
        ),
        (COMMAND, "asgi", BOTH, "worker class asgi: needs gunicorn>=25 or uvicorn-worker in the rock: juju config"),
        (ASGI, "", NEW, "juju config notes webserver-worker-class=asgi"),
        (ASGI.replace("sync", "asgi"), "", BOTH, "which needs gunicorn>=25 or uvicorn-worker in the rock"),
        (COMMAND, "asgi", ("gunicorn.workers.gasgi",), "the rock serves notes.wsgi"),
        (ASGI, "gevent", ("gevent",), "the rock serves notes.asgi"),
        ("gunicorn notes.wsgi:application", "gthread", (), "no -k to change"),
    ],
)
def test_what_cannot_be_is_blocked_with_what_to_do(
    command: str, option: str, modules: tuple[str, ...], message: str
) -> None:
    status = worker_class.command(command, option, modules, "notes")
    assert isinstance(status, Status)
    assert status.level == "blocked"
    assert len(status.message) <= 120
    assert message in status.message
