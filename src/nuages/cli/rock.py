"""nuages rock: the local rock, and what it has that the real one would not."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import click

from nuages.cli.output import format_option, note, print_document, table


@click.command()
@click.argument("project_dir", required=False, type=click.Path(path_type=Path))
@format_option("text", "json", default="text")
def command(project_dir: Path | None, form: str) -> None:
    """Build the root file system that `up` runs the application in, from the rockcraft.yaml in PROJECT_DIR (or here).

    Nothing is made again that has not changed. What differs from the rock that rockcraft makes is said: another Python,
    parts that are not built here; packages, libraries and programs that this machine lends. `rockcraft pack` makes the
    image for Kubernetes.
    """
    from nuages.build import rock_project
    from nuages.build.rock import rock
    from nuages.build.rock_layer import layer
    from nuages.cli.up.build import progress_on
    from nuages.cli.up.console import Console

    directory = project_dir or Path()
    project = rock_project.read(directory)
    with contextlib.closing(Console()) as console:
        result = rock(directory, progress=progress_on(console))
    services: dict[str, Any] = {}
    found: Any = layer(project)["services"]
    services.update(found)
    for notice in result.notes:
        note(f"notice: {notice}")
    root = str(result.directory / "rootfs")
    if form == "json":
        document = {
            "name": project.name,
            "version": project.version,
            "base": project.base.name,
            "root": root,
            "digest": result.digest,
            "services": {name: entry.get("command", "") for name, entry in services.items()},
            "notices": list(result.notes),
        }
        print_document(document, form)
        return
    click.echo(f"Built {project.name} {project.version} in {root}")
    rows = [[name, str(entry.get("command", ""))] for name, entry in services.items()]
    click.echo("\n".join(table([["Service", "Command"], *rows])))
