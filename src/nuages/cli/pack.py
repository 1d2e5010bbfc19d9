"""nuages pack: write the .charm file."""

from pathlib import Path

import click

from nuages.cli.output import format_option, note, print_document
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
@click.option(
    "--platform",
    metavar="NAME",
    help="Pack for this one of the declared platforms. By default one file is for all of them.",
)
@format_option("text", "json", default="text")
def command(project_dir: Path, output: Path, platform: str | None, form: str) -> None:
    """Write the .charm file: the one that runs here and on Juju.

    In a git repository only tracked files are packed. The same input gives the same bytes on every machine.
    """
    from nuages.build.check import check, refuse, warnings_line
    from nuages.build.pack import pack
    from nuages.extension.project import find

    charm = find(project_dir)
    report = check(charm)
    refuse(report, f"pack {charm / 'charmcraft.yaml'}")
    result = pack(charm, output, platform=platform)
    line = warnings_line(report, command_name())
    notices = [*([line] if line else []), *result.notes]
    for notice in notices:
        note(f"notice: {notice}")
    if form == "json":
        document = {
            "charm": str(result.path),
            "name": result.name,
            "base": result.base,
            "architectures": list(result.architectures),
            "sha256": result.digest,
            "size": result.path.stat().st_size,
            "notices": notices,
        }
        print_document(document, form)
        return
    click.echo(f"Packed {result.path}")
