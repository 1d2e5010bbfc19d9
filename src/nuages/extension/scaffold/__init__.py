"""What `nuages init` writes: files as texts, from the findings about a project."""

from nuages.extension.scaffold.planned import Planned, difference
from nuages.extension.scaffold.scaffold import scaffold

__all__ = ["Planned", "difference", "scaffold"]
