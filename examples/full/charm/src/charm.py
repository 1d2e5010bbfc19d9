#!/usr/bin/env python3
"""The charm of the example with every integration."""

import ops

import nuages.charm


class FullCharm(nuages.charm.DjangoCharm):
    """Everything a Django application needs is in the class above it."""


if __name__ == "__main__":
    ops.main(FullCharm)
