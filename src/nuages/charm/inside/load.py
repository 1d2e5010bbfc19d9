"""Load an application as gunicorn would: with the environment of a configuration file. A failure is a traceback.

Arguments: the configuration file, the directory, `module:name` (or nothing).
"""

# Here os.path saves importing pathlib, and what is printed is the answer.

import importlib
import os
import runpy
import sys


def main() -> None:
    """Read the configuration, which sets the environment, then import the application."""
    path, directory, application = sys.argv[1:4]
    runpy.run_path(path)
    os.chdir(directory)
    sys.path.insert(0, directory)
    if application:
        module, _, name = application.partition(":")
        value = importlib.import_module(module)
        for part in name.partition("(")[0].split("."):
            value = getattr(value, part)


main()
