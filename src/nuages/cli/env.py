"""`nuages env`: the environment that an application's web service runs with."""

import json
import sys
from dataclasses import dataclass
from typing import Any

import click

from nuages.cli.errors import CliError
from nuages.cli.output import format_option, print_document, table
from nuages.cli.root import command_name
from nuages.cli.session import Session, model_option, open_session
from nuages.cli.tasks import fail_unless_completed, task_document
from nuages.cli.waiting import finish
from nuages.cli.words import is_unit

WEB = "django"
MASK = "***"
PATIENCE = 60.0
"""Seconds to wait for the unit's turn: the charm is asked within a hook context, and a hook may be running."""


@dataclass(frozen=True)
class Variable:
    """A variable as its service has it, and what the charm says about it."""

    name: str
    value: str
    origin: str
    change: str
    secret: bool

    def shown(self, *, reveal: bool) -> str:
        """The value as it may be shown."""
        return MASK if self.secret and not reveal else self.value


@click.command()
@model_option
@format_option("text", "json", default="text")
@click.option("--explain", "explained", is_flag=True, help="Say where each variable comes from and what changes it.")
@click.option("--reveal", is_flag=True, help="Show secret values too.")
@click.option("--service", default=None, metavar="NAME", help="Another Pebble service than the web server.")
@click.argument("target", metavar="APPLICATION | UNIT")
def command(*, model: str | None, form: str, explained: bool, reveal: bool, service: str | None, target: str) -> None:
    """Show the environment of an application's web service, secrets masked.

    What is secret, and where a variable comes from, the unit's charm says: `juju exec --unit UNIT -- ./explain` asks
    it the same on any Juju.
    """
    session = open_session(model)
    unit = _unit(session, target)
    environment = read(session, unit, service)
    if explained or not reveal:
        variables = _explained(session, unit, environment, needed=explained)
    else:
        variables = [Variable(name, value, "", "", secret=False) for name, value in environment.items()]
    if form == "json":
        print_document(
            {
                variable.name: {
                    "value": variable.shown(reveal=reveal),
                    **({"origin": variable.origin, "change": variable.change or None} if explained else {}),
                    "secret": variable.secret,
                }
                for variable in variables
            },
            "json",
        )
    elif not explained:
        for variable in variables:
            print(f"{variable.name}={variable.shown(reveal=reveal)}")
    else:
        rows = [("Variable", "Value", "From", "Changed by")]
        for variable in variables:
            value = variable.shown(reveal=reveal)
            rows.append(
                (variable.name, value if len(value) <= 48 else value[:47] + "…", variable.origin, variable.change)
            )
        print("\n".join(table(rows)))


def read(session: Session, unit: str, service: str | None) -> dict[str, str]:
    """Return the variables of the unit's service as its Pebble plan has them, sorted by name."""
    plan: dict[str, Any] = session.get("plan", unit=unit)
    found: dict[str, dict[str, Any]] = {}
    for container in plan["containers"].values():
        found.update(container.get("services") or {})
    wanted = service or WEB
    if wanted not in found:
        services = ", ".join(sorted(found)) or "none"
        raise CliError(
            f"cannot show the environment of {unit}: it has no service {wanted!r} ({services})",
            fix=f"{command_name()} env {unit} --service NAME",
        )
    environment: dict[str, str] = found[wanted].get("environment") or {}
    return {name: str(value) for name, value in sorted(environment.items())}


def _explained(session: Session, unit: str, environment: dict[str, str], *, needed: bool) -> list[Variable]:
    """Return the variables with what the charm says; unless that is `needed`, its silence hides every value."""
    try:
        known = _ask(session, unit)
    except CliError as error:
        if needed:
            raise CliError(
                f"cannot explain the environment of {unit}: {_reason(error)}",
                fix=f"without origins: {command_name()} env {unit} --reveal",
            ) from None
        print(f"values are hidden, as the charm does not say which are secret: {_reason(error)}", file=sys.stderr)
        return [Variable(name, value, "", "", secret=True) for name, value in environment.items()]
    return [_variable(name, value, known.get(name)) for name, value in environment.items()]


def _variable(name: str, value: str, known: dict[str, Any] | None) -> Variable:
    if known is None:
        return Variable(name, value, "set earlier, not known to the charm now", "", secret=True)
    change = str(known["change"])
    if change.startswith("juju "):
        change = command_name() + change.removeprefix("juju")
    return Variable(name, value, str(known["origin"]), change, bool(known["secret"]))


def _ask(session: Session, unit: str) -> dict[str, dict[str, Any]]:
    """Run the charm's own `./explain` in a hook context of the unit."""
    answer = session.post("exec", body={"unit": unit, "argv": ["./explain"]})
    _, document = task_document(finish(session, answer, timeout=PATIENCE), unit)
    fail_unless_completed(document)
    return json.loads(document["results"].get("stdout", "{}"))


def _reason(error: CliError) -> str:
    text = str(error)
    return "its charm has no program ./explain" if "return code 127" in text else text


def _unit(session: Session, target: str) -> str:
    """Return the unit of an application's or a unit's name; the leader stands for its application."""
    name = target.partition("/")[0]
    applications: dict[str, dict[str, Any]] = session.get("status")["applications"]
    if name not in applications:
        known = ", ".join(sorted(applications)) or "none"
        raise CliError(
            f"cannot show the environment of {target}: there is no such application ({known})", fix="nuages status"
        )
    units: dict[str, dict[str, Any]] = applications[name].get("units") or {}
    if is_unit(target) and not target.endswith("/leader"):
        if target not in units:
            raise CliError(f"cannot show the environment of {target}: there is no such unit ({', '.join(units)})")
        return target
    leader = next((unit for unit, state in units.items() if state.get("leader")), next(iter(units), None))
    if leader is None:
        raise CliError(
            f"cannot show the environment of {name}: it has no units", fix=f"{command_name()} add-unit {name}"
        )
    return leader
