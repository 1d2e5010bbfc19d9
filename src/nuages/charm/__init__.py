"""The charm's run time: what every charm packed by Nuages runs on, under Juju and under the local engine alike.

A charm is these lines in `src/charm.py`:

    import ops
    import nuages.charm

    class NotesCharm(nuages.charm.DjangoCharm):
        pass

    if __name__ == "__main__":
        ops.main(NotesCharm)
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nuages.charm.app import DjangoCharm as DjangoCharm

__all__ = ["DjangoCharm"]


def __getattr__(name: str) -> object:
    """Import `DjangoCharm` on first use: the modules beside it are useful without ops."""
    if name == "DjangoCharm":
        from nuages.charm.app import DjangoCharm

        return DjangoCharm
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
