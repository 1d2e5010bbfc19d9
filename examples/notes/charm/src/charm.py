#!/usr/bin/env python3
"""The charm of the notes application."""

import ops

import nuages.charm


class NotesCharm(nuages.charm.DjangoCharm):
    """Everything a Django application needs is in the class above it."""


if __name__ == "__main__":
    ops.main(NotesCharm)
