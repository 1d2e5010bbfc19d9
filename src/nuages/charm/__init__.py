"""The charm's run time: what every charm packed by Nuages runs on, under Juju and under the local engine alike.

A charm is these lines in `src/charm.py`:

    import ops
    import nuages.charm

    class NotesCharm(nuages.charm.DjangoCharm):
        pass

    if __name__ == "__main__":
        ops.main(NotesCharm)
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nuages.charm.app import DjangoCharm as DjangoCharm
    from nuages.charm.facts import Facts as Facts
    from nuages.charm.facts import Relation as Relation
    from nuages.charm.interfaces.base import Interface as Interface
    from nuages.charm.interfaces.base import NotReady as NotReady
    from nuages.charm.interfaces.base import Publication as Publication
    from nuages.charm.variables import Variable as Variable

__all__ = ["DjangoCharm", "Facts", "Interface", "NotReady", "Publication", "Relation", "Variable"]

_HOMES = {
    "DjangoCharm": "app",
    "Facts": "facts",
    "Interface": "interfaces.base",
    "NotReady": "interfaces.base",
    "Publication": "interfaces.base",
    "Relation": "facts",
    "Variable": "variables",
}


def __getattr__(name: str) -> object:
    """Import what a charm uses when it is first used: the modules beside it are useful without ops."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
