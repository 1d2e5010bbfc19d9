"""What a Django project is, found out from its files: `detect(Folder(path))` gives the findings."""

from nuages.extension.django.detect import detect
from nuages.extension.django.findings import Findings
from nuages.extension.django.tree import Folder, Tree

__all__ = ["Findings", "Folder", "Tree", "detect"]
