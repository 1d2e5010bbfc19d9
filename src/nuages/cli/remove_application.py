"""`nuages remove-application`: an application, its units and its relations."""

from typing import Any

import click

from nuages.cli.session import model_option, open_session
from nuages.cli.waiting import finish


@click.command()
@model_option
@click.option("--no-prompt", is_flag=True, help="Accepted for Juju's sake; nothing is asked.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--destroy-storage", is_flag=True, help="Accepted for Juju's sake; the application's data always goes.")
@click.option("--force", is_flag=True, help="Pass over hooks that fail.")
@click.option("--no-wait", is_flag=True, help="Accepted for Juju's sake; a failed hook is passed over at once.")
@click.argument("applications", nargs=-1, required=True)
def command(
    *,
    model: str | None,
    no_prompt: bool,
    dry_run: bool,
    destroy_storage: bool,
    force: bool,
    no_wait: bool,
    applications: tuple[str, ...],
) -> None:
    """Remove APPLICATIONS with their units, relations and data."""
    session = open_session(model)
    for application in applications:
        body = {"application": application, "force": force, "dry_run": dry_run}
        answer: dict[str, Any] = session.post("remove-application", body=body)
        print("\n".join(removal_lines(application, answer["removed"])), flush=True)
        if not dry_run:
            finish(session, answer)


def removal_lines(application: str, removed: dict[str, list[str]]) -> list[str]:
    """Return what Juju prints of a removal, and beyond that the relations that end."""
    kinds = (("unit", "units"), ("storage", "storage"), ("relation", "relations"))
    goes = [f"- will remove {kind} {name}" for kind, key in kinds for name in removed[key]]
    return [f"will remove application {application}", *goes]
