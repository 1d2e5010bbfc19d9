"""What `dispatch` runs: `python3 -I -S venv/nuages/charm/boot.py`, in the charm's directory or anywhere else.

Importing ops is 85 % of a hook, so this script makes importing cheap: the garbage collector is off meanwhile, a few
heavy modules that a hook rarely needs are loaded on first use, and JSON metadata is not fed to the pure Python YAML
parser. Nothing here changes what a charm sees, except that a broken lazy module fails when used.
"""

import gc
import sys

LAZY = ("ssl", "websocket", "hashlib", "ipaddress", "bz2", "lzma", "pickle", "calendar")
"""Imported by ops and its dependencies at import time, used only by some hooks."""


def lazy(names: tuple[str, ...]) -> None:
    """Put a module into `sys.modules` for each name that loads itself when an attribute is first asked for.

    `importlib.util.LazyLoader` gains nothing here: an import statement already triggers it.
    """
    import importlib.util
    import threading
    import types

    lock = threading.RLock()

    class Lazy(types.ModuleType):
        def __getattr__(self, name: str) -> object:
            if name.startswith("__") and name != "__all__":
                raise AttributeError(name)
            with lock:
                spec = self.__spec__
                if self.__class__ is Lazy and spec is not None and spec.loader is not None:
                    self.__class__ = types.ModuleType  # pyright: ignore[reportAttributeAccessIssue]  it becomes a plain one
                    spec.loader.exec_module(self)
            return getattr(self, name)

    for name in names:
        if name in sys.modules:
            continue
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            continue
        module = importlib.util.module_from_spec(spec)
        module.__class__ = Lazy
        sys.modules[name] = module


def json_first() -> None:
    """Let ops read JSON metadata without the YAML parser, when PyYAML has no compiled part.

    ops picks `yaml.CSafeLoader` by name. A document that is not JSON is parsed as before.
    """
    import json

    import yaml

    if hasattr(yaml, "CSafeLoader"):
        return

    class JsonFirstLoader(yaml.SafeLoader):
        def __init__(self, stream: object) -> None:
            read = getattr(stream, "read", None)
            self.text = read() if callable(read) else stream
            super().__init__(self.text)  # type: ignore[arg-type]  whatever PyYAML takes

        def get_single_data(self) -> object:
            text = self.text
            if isinstance(text, str) and text.startswith("{"):
                try:
                    return json.loads(text)
                except ValueError:
                    pass
            return super().get_single_data()

    yaml.CSafeLoader = JsonFirstLoader  # type: ignore[misc,assignment]  the name that ops looks for


def charm_class() -> type:
    """Import `src/charm.py` and return the charm class that it defines.

    Raises:
        SystemExit: when there is none, or more than one that no other is derived from.
    """
    import charm  # type: ignore[import-not-found]  the user's own module: src/charm.py
    import ops

    found = [
        value
        for value in vars(charm).values()
        if isinstance(value, type) and issubclass(value, ops.CharmBase) and value.__module__ == charm.__name__
    ]
    leaves = [value for value in found if not any(other is not value and issubclass(other, value) for other in found)]
    if len(leaves) != 1:
        names = ", ".join(value.__name__ for value in leaves) or "none"
        raise SystemExit(
            f"cannot find the charm: src/charm.py must define one subclass of ops.CharmBase, found {names}"
        )
    return leaves[0]


def main() -> None:
    """Run the charm for the event that the environment describes."""
    gc.disable()  # until all is imported
    import os

    root = os.path.realpath(__file__).rsplit("/", 4)[0]
    sys.path[:0] = [root + "/src", root + "/lib", root + "/venv"]
    # ops compares this with the names of the hooks, to recognise a charm started through one.
    sys.argv[:] = [root + "/src/charm.py"]
    lazy(LAZY)
    import logging

    if not os.environ.get("JUJU_DEBUG"):
        logging.disable(logging.DEBUG)
    json_first()
    cls = charm_class()
    import ops

    gc.freeze()
    gc.enable()
    ops.main(cls)


if __name__ == "__main__":
    main()
