"""Runs in the application's own environment, inside a sandbox: imports the settings and says what is in force.

Alone in its process, with the standard library and the project's Django: the project is in the
current directory; the question is a JSON file, the answer JSON on the stdout it was started with. Values that may be
secret are compared here and never printed.
"""

# pyright: basic
from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from typing import Any

HERE = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118  the project may bring a pathlib of its own
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_HARMLESS = ("/tmp/", "/dev/", "/proc/")  # noqa: S108  the sandbox's own


def main() -> None:
    """Answer the question."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the project prints is not the answer
    with open(sys.argv[1]) as file:  # noqa: PTH123  the project may bring a pathlib of its own
        asked = json.load(file)
    sys.path.insert(0, HERE)
    written: list[list[object]] = []
    sys.addaudithook(lambda event, arguments: _watch(event, arguments, written))
    found: dict[str, object]
    try:
        found = _ask(asked)
    except BaseException as error:
        found = {"error": _error(error)}
    found["written"] = written
    json.dump(found, answer, default=str)
    answer.flush()
    os._exit(0)  # threads that the project started would hold us


def _watch(event: str, arguments: tuple[object, ...], written: list[list[object]]) -> None:
    path: object = None
    if event == "open":
        path, mode, flags = arguments
        if not (isinstance(flags, int) and flags & _WRITING) and not (
            isinstance(mode, str) and set(mode) & set("wax+")
        ):
            return
    elif event in ("os.mkdir", "os.remove", "os.rename"):
        path = arguments[0]
    if not isinstance(path, str | bytes) or len(written) > 20:
        return
    name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  a link is left as it is written
    if name.startswith(_HARMLESS) or name.endswith((".pyc", "__pycache__")) or "/__pycache__/" in name:
        return
    frame = sys._getframe(1)
    while frame is not None and not frame.f_code.co_filename.startswith(HERE):
        frame = frame.f_back
    if frame is not None:
        written.append([name, frame.f_code.co_filename[len(HERE) :], frame.f_lineno])


def _error(error: BaseException) -> dict[str, object]:
    """Return what was raised, and the last line of the project's own that it passed."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(HERE)]
    file, line = (frames[-1].filename[len(HERE) :], frames[-1].lineno) if frames else ("", 0)
    if isinstance(error, SyntaxError) and error.filename and error.filename.startswith(HERE):
        file, line = error.filename[len(HERE) :], error.lineno
    text = " ".join(str(error).split())
    return {"type": type(error).__name__, "text": text[:400], "file": file, "line": line or 0,
            "read_only": isinstance(error, OSError) and error.errno in (13, 30)}  # fmt: skip


def _ask(asked: dict[str, Any]) -> dict[str, object]:
    import django.core.asgi
    import django.core.wsgi

    django.core.wsgi.get_wsgi_application = lambda: None  # only what the module does before it is wanted
    django.core.asgi.get_asgi_application = lambda: None
    if asked["module"]:
        importlib.import_module(asked["module"])
    if not os.environ.get("DJANGO_SETTINGS_MODULE") and asked["settings"]:
        os.environ["DJANGO_SETTINGS_MODULE"] = asked["settings"]
    from django.conf import settings
    from django.http.request import validate_host

    database = dict(settings.DATABASES.get("default") or {})
    return {
        "module": os.environ.get("DJANGO_SETTINGS_MODULE", ""),
        "debug": bool(settings.DEBUG),
        "key": asked["key"] == settings.SECRET_KEY,
        "host": bool(validate_host(asked["host"], settings.ALLOWED_HOSTS)),
        "hosts": len(settings.ALLOWED_HOSTS) if isinstance(settings.ALLOWED_HOSTS, list | tuple) else -1,
        "engine": str(database.get("ENGINE", "")),
        "database": {name: str(database.get(name.upper()) or "") == value for name, value in asked["database"].items()},
        "manifest": _manifest(settings),
        "redirect": bool(settings.SECURE_SSL_REDIRECT),
        "cookies": [name for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE") if getattr(settings, name)],
    }  # fmt: skip


def _manifest(settings: object) -> bool:
    """Whether pages look static files up in a manifest that is not there."""
    from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage

    if "django.contrib.staticfiles" not in getattr(settings, "INSTALLED_APPS", ()):
        return False
    storage = staticfiles_storage
    if not isinstance(storage, ManifestFilesMixin) or not getattr(storage, "manifest_strict", True):
        return False
    return not storage.read_manifest()


if __name__ == "__main__":
    main()
