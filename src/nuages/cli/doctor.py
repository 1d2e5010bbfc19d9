"""nuages doctor: what this machine can and cannot do, found by trying."""

from __future__ import annotations

import click

from nuages.cli.output import format_option, print_document

SIGNS = {"ok": "ok", "note": "-", "fail": "FAIL"}


@click.command()
@format_option("text", "json", default="text")
def command(form: str) -> int:
    """Try what `up` needs on this machine, and say what is missing and what to type.

    Makes a model with a bridge and a container in it, and removes it again; looks for programs, space and ports.
    Nothing is fetched or changed. The exit code is 0 when `up` can work here, else 1.
    """
    from nuages.cli.root import to_paste
    from nuages.cli.state import state_dir
    from nuages.contract.bases import BY_NAME
    from nuages.engine.doctor.findings import ENGINE, findings
    from nuages.engine.doctor.trials import examine
    from nuages.services import REGISTRY

    servers = [program for service in REGISTRY.values() for program in service.programs]
    python = BY_NAME["ubuntu@24.04"].python
    found = findings(examine(list(dict.fromkeys([*ENGINE, *servers])), state_dir(), python), python)
    failed = [finding for finding in found if finding.state == "fail"]
    if form == "json":
        rows = [{"name": row.name, "state": row.state, "text": row.text, "fix": row.fix} for row in found]
        print_document({"ready": not failed, "findings": rows}, form)
        return 1 if failed else 0
    width = max(len(finding.name) for finding in found)
    for finding in found:
        click.echo(f"{SIGNS[finding.state]:<4}  {finding.name:<{width}}  {finding.text}")
        if finding.fix:
            first, *rest = to_paste(finding.fix).splitlines()
            margin = "" if "<<" in finding.fix else " " * (width + 13)
            click.echo("\n".join([f"{'':<{width + 8}}fix: {first}", *(margin + line for line in rest)]))
    click.echo("")
    if failed:
        click.echo(f"`up` cannot work here: {', '.join(finding.name for finding in failed)}")
        return 1
    click.echo("`up` can work here.")
    return 0
