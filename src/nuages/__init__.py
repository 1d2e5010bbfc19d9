"""Nuages: a Django project, charmed and running."""

__version__ = "0.1.0"
