"""nuages pack: write the .charm file."""

from pathlib import Path

import click

from nuages.cli.root import command_name


@click.command()
@click.option(
    "--project-dir",
    "-p",
    type=click.Path(path_type=Path),
    default=".",
    help="The project's directory, or its charm/. The current one by default.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    default=".",
    help="Directory for the file, or the file itself if it ends with .charm. The current directory by default.",
)
def command(project_dir: Path, output: Path) -> None:
    """Write the .charm file: the one that runs here and on Juju."""
    from nuages.build.check import check, refuse, warnings_line
    from nuages.build.pack import pack
    from nuages.extension.project import find

    charm = find(project_dir)
    report = check(charm)
    refuse(report, f"pack {charm / 'charmcraft.yaml'}")
    result = pack(charm, output)
    if line := warnings_line(report, command_name()):
        click.echo(f"notice: {line}", err=True)
    for note in result.notes:
        click.echo(f"notice: {note}", err=True)
    click.echo(f"Packed {result.path}")
