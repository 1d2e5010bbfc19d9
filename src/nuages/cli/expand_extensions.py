"""nuages expand-extensions: print charmcraft.yaml with what the extension contributes."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--project-dir",
    "-p",
    type=click.Path(path_type=Path),
    default=".",
    help="The project's directory, or its charm/. The current one by default.",
)
def command(project_dir: Path) -> None:
    """Print charmcraft.yaml with everything that its extensions contribute."""
    from nuages.extension.expand import expand
    from nuages.extension.project import find, read
    from nuages.extension.write import to_yaml

    click.echo(to_yaml(expand(read(find(project_dir)))), nl=False)
