"""Print what the charm has to know of a rock, as JSON. Arguments: the application's directory, the rock's metadata."""

# Here os.path saves importing pathlib, and what is printed is the answer.
# ruff: noqa: PTH113, PTH118, PTH119, PTH123, PTH208, T201

import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator

PROGRAMS = ("migrate", "migrate.sh", "migrate.py", "manage.py")
MODULES = (
    "gevent",
    "gunicorn.workers.gasgi",
    "uvicorn_worker",
    "opentelemetry.sdk.trace",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
)
SKIPPED = {"node_modules", ".git", "__pycache__", "static", "staticfiles", "media"}


def migration_files(directory: str) -> Iterator[str]:
    """Yield the path of every Python file in a folder named `migrations`, in a stable order."""
    for folder, folders, files in os.walk(directory):
        folders[:] = sorted(set(folders) - SKIPPED)
        if os.path.basename(folder) == "migrations":
            for name in sorted(files):
                if name.endswith(".py"):
                    yield os.path.join(folder, name)


def release(directory: str, metadata: bytes) -> str:
    """Return a digest of the metadata, which changes with every build, and of the application's migrations."""
    digest = hashlib.sha256(metadata)
    for path in migration_files(directory):
        with open(path, "rb") as file:
            digest.update(os.fsencode(os.path.relpath(path, directory)) + b"\0" + file.read() + b"\0")
    return digest.hexdigest()[:16]


def version(metadata: bytes) -> str:
    """Return the value of the line `version: ...`; "" when there is none."""
    for line in metadata.decode("utf-8", "replace").splitlines():
        key, colon, value = line.partition(":")
        if colon and key.strip().strip("\"'") == "version":
            return value.strip().strip("\"',")
    return ""


def can_import(name: str) -> bool:
    """Whether there is such a module; the packages above it are imported, itself it is not."""
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False


def entrances(directory: str) -> Iterator[str]:
    """Yield the modules named `wsgi` and `asgi`, of the project's own packages and beside them."""
    for folder in ("", *sorted(os.listdir(directory))):
        for name in ("asgi", "wsgi"):
            if os.path.isfile(os.path.join(directory, folder, name + ".py")):
                yield f"{folder}.{name}" if folder else name


def main() -> None:
    """Print the survey."""
    directory, path = sys.argv[1:3]
    try:
        with open(path, "rb") as file:
            metadata = file.read()
    except OSError:
        metadata = b""
    answer = {
        "release": release(directory, metadata),
        "version": version(metadata),
        "environment": dict(os.environ),
        "files": [name for name in PROGRAMS if os.path.isfile(os.path.join(directory, name))],
        "modules": [*filter(can_import, MODULES), *entrances(directory)],
    }
    print(json.dumps(answer))


main()
