"""`nuages env`: the environment that an application's web service runs with."""

from typing import Any

import click

from nuages.cli.env_origins import Application, Explained, explain
from nuages.cli.errors import CliError
from nuages.cli.output import format_option, print_document, table
from nuages.cli.root import command_name
from nuages.cli.session import Session, model_option, open_session
from nuages.cli.words import is_unit

WEB = "django"


@click.command()
@model_option
@format_option("text", "json", default="text")
@click.option("--explain", "explained", is_flag=True, help="Say where each variable comes from and what changes it.")
@click.option("--reveal", is_flag=True, help="Show secret values too.")
@click.option("--service", default=None, metavar="NAME", help="Another Pebble service than the web server.")
@click.argument("target", metavar="APPLICATION | UNIT")
def command(*, model: str | None, form: str, explained: bool, reveal: bool, service: str | None, target: str) -> None:
    """Show the environment of an application's web service, secrets masked."""
    session = open_session(model)
    name, unit = _unit(session, target)
    variables = read(session, name, unit, service)
    if form == "json":
        print_document(
            {
                variable.name: {
                    "value": variable.value if reveal else variable.shown,
                    **({"origin": variable.origin, "change": variable.change or None} if explained else {}),
                    "secret": variable.secret,
                }
                for variable in variables
            },
            "json",
        )
        return
    if not explained:
        for variable in variables:
            print(f"{variable.name}={variable.value if reveal else variable.shown}")
        return
    rows = [("Variable", "Value", "From", "Changed by")]
    for variable in variables:
        value = variable.value if reveal else variable.shown
        change = f"{command_name()} {variable.change}" if variable.change else ""
        rows.append((variable.name, value if len(value) <= 48 else value[:47] + "…", variable.origin, change))
    print("\n".join(table(rows)))


def read(session: Session, application: str, unit: str, service: str | None) -> list[Explained]:
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
    known = _application(session, application)
    return [explain(name, str(value), known) for name, value in sorted(environment.items())]


def _application(session: Session, name: str) -> Application:
    config: dict[str, Any] = session.get("config", name)
    relations: dict[str, list[dict[str, str]]] = session.get("status")["applications"][name].get("relations") or {}
    return Application(
        name,
        config["settings"],
        {
            endpoint: (related[0]["interface"], related[0]["related-application"])
            for endpoint, related in relations.items()
            if related
        },
    )


def _unit(session: Session, target: str) -> tuple[str, str]:
    """Return (application, unit) for an application's or a unit's name; the leader stands for its application."""
    name = target.partition("/")[0]
    applications: dict[str, dict[str, Any]] = session.get("status")["applications"]
    if name not in applications:
        known = ", ".join(sorted(applications)) or "none"
        raise CliError(f"cannot show the environment of {target}: there is no such application ({known})")
    units: dict[str, dict[str, Any]] = applications[name].get("units") or {}
    if is_unit(target) and not target.endswith("/leader"):
        if target not in units:
            raise CliError(f"cannot show the environment of {target}: there is no such unit ({', '.join(units)})")
        return name, target
    leader = next((unit for unit, state in units.items() if state.get("leader")), next(iter(units), None))
    if leader is None:
        raise CliError(
            f"cannot show the environment of {name}: it has no units", fix=f"{command_name()} add-unit {name}"
        )
    return name, leader
