"""The charm's actions: each validates first and changes nothing when it fails."""

import secrets
import shlex
from typing import Any
from urllib.parse import unquote

import ops
from ops import pebble

from nuages.charm import apply, inside, options, secret_key, services
from nuages.charm.converge import WEB
from nuages.charm.facts import Facts, SecretKey, Workload
from nuages.charm.gather import new_key
from nuages.charm.texts import last_line, pebble_reason
from nuages.charm.variables import mask
from nuages.charm.workload import Container, Result
from nuages.contract import layout


class Refused(Exception):
    """The action cannot be done; the text says why and what to do."""


def rotate_secret_key(charm: ops.CharmBase, facts: Facts) -> SecretKey:
    """Replace the secret key; return the secret as it is now."""
    if not facts.leader:
        raise Refused(f"only the leader can rotate the secret key: juju run {facts.app}/leader rotate-secret-key")
    given = [name for name in options.KEY_OPTIONS if name in facts.config]
    if given:
        raise Refused(f"option {given[0]} sets the secret key; change that option instead")
    problems = options.read(facts).problems
    if problems:
        raise Refused(f"the new key would not reach the application: {problems[0].message}")
    if facts.peer is None or facts.key.content is None or not facts.key.id:
        raise Refused("there is no secret key to rotate yet, the charm is still being set up; try again later")
    write = secret_key.rotate(facts, facts.peer, facts.key.content, new_key(), secrets.token_hex(4))
    return apply.write_secret(write, charm)


def create_superuser(container: Container, facts: Facts, params: dict[str, Any]) -> str:
    """Create the user and return the password made for it."""
    username, email = (str(params.get(name) or "").strip() for name in ("username", "email"))
    if not username:
        raise Refused("username is empty")
    if "@" not in email.strip("@"):
        raise Refused(f"email is not an e-mail address: {email!r}")
    workload = facts.workload
    if not isinstance(workload, Workload):
        raise Refused(f"the container {facts.container} is not ready; try again later")
    web = workload.services.get(WEB, {})
    if workload.states.get(WEB) != "active":
        raise Refused("the web service does not run, so its database may not be ready; see juju status")
    password = secrets.token_urlsafe(16)
    environment = {
        **services.environment_of(web),
        "DJANGO_SUPERUSER_USERNAME": username,
        "DJANGO_SUPERUSER_EMAIL": email,
        "DJANGO_SUPERUSER_PASSWORD": password,
    }
    where: dict[str, Any] = {"user": str(web.get("user") or ""), "directory": facts.layout.app}
    program = inside.text("account")
    command = (layout.PYTHON, "-", facts.layout.app)
    try:
        before = container.run(command, stdin=program, environment=environment, **where)
        _expect(before, "cannot look for the user", environment)
        words = before.output.split()
        if words[-1:] == ["exists"]:
            name = email if words[-2:-1] == ["email"] else username
            raise Refused(
                f"there is a user {name} already; its password was not touched\n"
                f"fix: choose another {'email' if name == email else 'username'},"
                f" or give this one a new password: {_change_password(facts, name)}"
            )
        create = (layout.PYTHON, "manage.py", "createsuperuser", "--noinput")
        created = container.run(create, environment=environment, **where)
        _expect(created, "cannot create the user", environment)
        after = container.run(command, stdin=program, environment=environment, **where)
        _expect(after, "cannot look for the user", environment)
    except pebble.Error as error:
        raise Refused(f"cannot create the user: {pebble_reason(error)}") from error
    if not after.output.strip().endswith("accepts"):
        said = last_line(created.output + "\n" + created.error)
        raise Refused(
            "the project's createsuperuser created no user with that password"
            + (f": it says {mask(said, _hidden(environment))}" if said else "")
        )
    return password


def _change_password(facts: Facts, name: str) -> str:
    words = shlex.join((layout.PYTHON, "manage.py", "changepassword", name))
    where = f"--context={WEB} -w {facts.layout.app} -it"
    return f"juju ssh --container {facts.container} {facts.unit} /charm/bin/pebble exec {where} -- {words}"


def _expect(result: Result, what: str, environment: dict[str, str]) -> None:
    if result.code == 0:
        return
    text = last_line(result.error) or last_line(result.output) or f"exit code {result.code}"
    raise Refused(f"{what}: {mask(text, _hidden(environment))}")


def _hidden(environment: dict[str, str]) -> tuple[str, ...]:
    values = {value for name, value in environment.items() if any(word in name for word in SECRET_WORDS)}
    return tuple(values | set(map(unquote, values)))


SECRET_WORDS = ("PASSWORD", "SECRET", "CONNECT_STRING", "TOKEN", "KEY")
