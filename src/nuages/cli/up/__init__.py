"""`nuages up`: from a project to a running page."""

from nuages.cli.up.command import command

__all__ = ["command"]
