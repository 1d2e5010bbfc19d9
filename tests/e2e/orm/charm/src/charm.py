#!/usr/bin/env python3
"""The charm of the application that tries what the ORM can."""

import ops

import nuages.charm


class OrmCharm(nuages.charm.DjangoCharm):
    """Everything a Django application needs is in the class above it."""


if __name__ == "__main__":
    ops.main(OrmCharm)
