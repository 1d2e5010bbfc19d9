"""The project around the folder a command is called in."""

import re
from pathlib import Path

from nuages.extension.names import slug

MARKERS = ("charm/charmcraft.yaml", "charmcraft.yaml", "rockcraft.yaml")
_NAME = re.compile(r"^name\s*:\s*(['\"]?)([^\s'\"#]+)\1\s*(?:#.*)?$", re.MULTILINE)


def find_project(start: Path) -> Path | None:
    """Return the project that `start` lies in: the nearest folder upward with a charmcraft.yaml or rockcraft.yaml.

    A charm's own folder `charm/` belongs to the project above it.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if any((folder / marker).is_file() for marker in MARKERS):
            above = folder.parent
            return above if folder.name == "charm" and (above / MARKERS[0]).is_file() else folder
    return None


def project_name(project: Path) -> str:
    """Return the project's name as its charm or rock gives it (its folder's when they give none), fit for DNS."""
    for marker in MARKERS:
        path = project / marker
        if path.is_file() and (match := _NAME.search(path.read_text(errors="replace"))):
            return dns_safe(match.group(2))
    return dns_safe(project.name)


def dns_safe(name: str) -> str:
    """Return the nearest DNS label: lower case letters, digits and hyphens, at most 50 characters."""
    return slug(name, 50) or "model"


def free_model_name(wanted: str, taken: set[str]) -> str:
    """Return `wanted`, or with `-2`, `-3`… when another project's model has it."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name
