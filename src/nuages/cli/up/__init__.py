"""`nuages up`: from a project to a running page."""

from nuages.cli.up.main import command

__all__ = ["command"]
