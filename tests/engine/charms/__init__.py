"""Packs the engine's own little charm, with the test environment's ops."""

import importlib.util
import json
import zipfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DISPATCH = "#!/bin/sh\nPYTHONPATH=venv exec python3 src/charm.py\n"
OPTIONS = {
    "say": {"type": "string", "default": "nothing"},
    "count": {"type": "int"},
    "fail-on": {"type": "string", "default": ""},
    "wait-on": {"type": "string", "default": ""},
}
ACTIONS = {"greet": {"description": "Say hello", "params": {"name": {"type": "string", "default": "you"}}}}
LIBRARIES = ("ops", "yaml", "websocket", "opentelemetry")


def metadata(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "summary": "Records its hooks",
        "containers": {"work": {}},
        "provides": {"serve": {"interface": "talk"}},
        "requires": {"ask": {"interface": "talk", "limit": 1}},
        "peers": {"peers": {"interface": "peers"}},
        **changes,
    }


def pack(
    path: Path,
    name: str = "recorder",
    *,
    source: str | None = None,
    options: dict[str, Any] | None = None,
    actions: dict[str, Any] | None = None,
    **changes: Any,
) -> Path:
    """Write `path`, a .charm; `changes` are of its metadata."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        entry = zipfile.ZipInfo("dispatch")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, DISPATCH)
        archive.writestr("metadata.yaml", json.dumps(metadata(name, **changes)))
        archive.writestr("config.yaml", json.dumps({"options": options or OPTIONS}))
        archive.writestr("actions.yaml", json.dumps(actions or ACTIONS))
        archive.writestr("src/charm.py", source or (HERE / "recorder" / "src" / "charm.py").read_text())
        for library in LIBRARIES:
            spec = importlib.util.find_spec(library)
            assert spec and spec.submodule_search_locations
            root = Path(next(iter(spec.submodule_search_locations)))
            for file in sorted(root.rglob("*.py")):
                archive.write(file, f"venv/{library}/{file.relative_to(root)}")
        import typing_extensions

        archive.write(typing_extensions.__file__, "venv/typing_extensions.py")
    return path
