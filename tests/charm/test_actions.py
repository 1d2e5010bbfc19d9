"""The actions: validated first, nothing changed on failure, no password for an account that is not there."""

# Tables read best with a row in a line.
# ruff: noqa: E501

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from ops import testing

from nuages.contract import layout
from tests.charm.conftest import NotesCharm, container, database, peer
from tests.charm.test_app import working

Context = testing.Context[NotesCharm]
PARAMS = {"username": "ana", "email": "ana@example.com"}
LOOK = ("/bin/python3", "-", layout.CLASSIC.app)
CREATE = ("/bin/python3", "manage.py", "createsuperuser", "--noinput")


@pytest.fixture
def state(context: Context, tmp_path: Path) -> testing.State:
    """Return a state in which the charm works."""
    start = working(containers={container(tmp_path)})
    return context.run(context.on.pebble_ready(start.get_container("django-app")), start)


def answering(
    monkeypatch: pytest.MonkeyPatch, state: testing.State, answers: list[str], create: testing.Exec
) -> tuple[testing.State, list[dict[str, Any]]]:
    """Return the state with the account's answers one after the other, and what was run."""
    from nuages.charm.workload import Container, Result

    calls: list[dict[str, Any]] = []
    left = list(answers)

    def run(_: Container, command: tuple[str, ...], **options: Any) -> Result:
        calls.append({"command": command, **options})
        if tuple(command) == CREATE:
            return Result(create.return_code, create.stdout, create.stderr)
        assert tuple(command) == LOOK
        return Result(0, left.pop(0), "")

    monkeypatch.setattr(Container, "run", run)
    return state, calls


def test_superuser(context: Context, state: testing.State, monkeypatch: pytest.MonkeyPatch) -> None:
    state, calls = answering(monkeypatch, state, ["username missing", "username accepts"], testing.Exec(CREATE))
    context.run(context.on.action("create-superuser", params=PARAMS), state)
    password = (context.action_results or {})["password"]
    assert len(password) >= 16
    assert calls[1]["command"] == CREATE
    environment = calls[1]["environment"]
    assert environment["DJANGO_SUPERUSER_PASSWORD"] == password
    assert environment["DJANGO_SUPERUSER_USERNAME"] == "ana"
    assert environment["POSTGRESQL_DB_NAME"] == "notes"
    assert not any(password in " ".join(call["command"]) for call in calls)
    assert not any(password in line.message for line in context.juju_log)


@pytest.mark.parametrize(
    ("answers", "create", "message"),
    [
        (["username exists"], testing.Exec(CREATE), "there is a user ana already; its password was not touched\nfix: choose another username, or give this one a new password: juju ssh --container django-app notes/0 /charm/bin/pebble exec --context=django -w /django/app -it -- /bin/python3 manage.py changepassword ana"),
        (["username missing"], testing.Exec(CREATE, return_code=2, stderr="error: unrecognized arguments: --noinput"), "cannot create the user: error: unrecognized arguments: --noinput"),
        (["username missing", "username missing"], testing.Exec(CREATE, stdout="Nothing done."), "the project's createsuperuser created no user with that password: it says Nothing done."),
    ],
)  # fmt: skip
def test_superuser_that_is_not_made(  # noqa: PLR0917  fixtures and a row of the table
    context: Context,
    state: testing.State,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[str],
    create: testing.Exec,
    message: str,
) -> None:
    state, _ = answering(monkeypatch, state, answers, create)
    with pytest.raises(testing.ActionFailed) as failure:
        context.run(context.on.action("create-superuser", params=PARAMS), state)
    assert failure.value.message == message
    assert not context.action_results


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"username": " ", "email": "a@example.com"}, "username is empty"),
        ({"username": "ana", "email": "nonsense"}, "email is not an e-mail address: 'nonsense'"),
    ],
)
def test_superuser_is_validated_first(
    context: Context, state: testing.State, params: dict[str, str], message: str
) -> None:
    with pytest.raises(testing.ActionFailed) as failure:
        context.run(context.on.action("create-superuser", params=params), state)
    assert failure.value.message == message


def test_superuser_needs_a_running_service(context: Context) -> None:
    with pytest.raises(testing.ActionFailed, match="not ready"):
        down = working(containers={container(reachable=False)})
        context.run(context.on.action("create-superuser", params=PARAMS), down)
    with pytest.raises(testing.ActionFailed, match="does not run"):
        context.run(context.on.action("create-superuser", params=PARAMS), working())


def test_rotation_of_one_unit_keeps_the_old_key_as_a_fallback(context: Context, state: testing.State) -> None:
    old = state.get_container("django-app").plan.services["django"].environment["DJANGO_SECRET_KEY"]
    after = context.run(context.on.action("rotate-secret-key"), state)
    environment = after.get_container("django-app").plan.services["django"].environment
    assert environment["DJANGO_SECRET_KEY"] != old
    assert json.loads(environment["DJANGO_SECRET_KEY_FALLBACKS"]) == [old]
    assert context.action_results == {"status": "success"}


def test_rotation_with_other_units_begins_with_a_fallback(context: Context, state: testing.State) -> None:
    bag = dict(state.get_relation(1).local_app_data)
    state = dataclasses.replace(state, relations={database(), peer(bag, {1: {}})})
    old = state.get_container("django-app").plan.services["django"].environment["DJANGO_SECRET_KEY"]
    after = context.run(context.on.action("rotate-secret-key"), state)
    environment = after.get_container("django-app").plan.services["django"].environment
    assert environment["DJANGO_SECRET_KEY"] == old
    assert len(json.loads(environment["DJANGO_SECRET_KEY_FALLBACKS"])) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"leader": False}, "only the leader can rotate the secret key: juju run notes/leader rotate-secret-key"),
        ({"config": {"django-secret-key": "mine"}}, "option django-secret-key sets the secret key; change that option instead"),
        ({"config": {"webserver-workers": -1}}, "the new key would not reach the application: option webserver-workers"),
    ],
)  # fmt: skip
def test_rotation_refused(context: Context, state: testing.State, changes: dict[str, Any], message: str) -> None:
    secrets = list(state.secrets)
    with pytest.raises(testing.ActionFailed) as failure:
        context.run(context.on.action("rotate-secret-key"), dataclasses.replace(state, **changes))
    assert failure.value.message.startswith(message)
    assert failure.value.state is not None
    assert {secret.id: secret.latest_content for secret in failure.value.state.secrets} == {
        secret.id: secret.latest_content for secret in secrets
    }
