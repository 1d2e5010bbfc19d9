"""Grafana's dashboards, as its charm takes them: each compressed, all of them together with a digest."""

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from nuages.charm.facts import Facts
from nuages.charm.observability.topology import metadata

FILE = "django.json"
FOLDER = "cos_merged/grafana_dashboards"
"""Where the runtime that charmcraft packs has its dashboards: part of their identity in Grafana."""
_UID = re.compile("[0-9a-f]{40}")


def builtin() -> dict[str, object]:
    """Return the built-in dashboard."""
    return cast("dict[str, object]", json.loads(Path(__file__).with_name(FILE).read_text(encoding="utf-8")))


def document(facts: Facts) -> dict[str, object]:
    """Return what the databag carries. The same dashboards give the same text: Grafana reloads at every change."""
    import hashlib
    import uuid

    topology = {name: text for name, text in metadata(facts).items() if name != "charm_name"}
    files: dict[str, Mapping[str, object]] = {FILE: builtin()}
    files.update(
        (name, cast("dict[str, object]", content))
        for name, content in facts.custom.grafana_dashboards.items()
        if isinstance(content, dict)
    )
    templates: dict[str, object] = {}
    for path, content in files.items():
        key = f"file:{path.rpartition('/')[2].removesuffix('.json')}"
        templates[key] = {
            "charm": facts.charm,
            "content": encode(_ours(facts.charm, path, content)),
            "juju_topology": topology,
            "inject_dropdowns": True,
            "dashboard_alt_uid": _digest(f"{facts.charm}-{key}", 8),
        }
    digest = hashlib.sha256(json.dumps(templates).encode()).digest()
    return {"templates": templates, "uuid": str(uuid.UUID(bytes=digest[:16], version=4))}


def _ours(charm: str, path: str, content: Mapping[str, object]) -> dict[str, object]:
    """Return a dashboard with the charm's tag, and an identity of its own that lasts from one revision to the next."""
    given = content.get("tags")
    tags = [str(tag) for tag in cast("list[object]", given)] if isinstance(given, list) else []
    uid = str(content.get("uid") or "")
    return {
        **content,
        "tags": list(dict.fromkeys([*tags, f"charm: {charm}"])),
        "uid": uid if _UID.fullmatch(uid) else _digest(f"{charm}-{FOLDER}/{path}", 20),
    }


def _digest(text: str, length: int) -> str:
    import hashlib

    return hashlib.shake_256(text.encode()).hexdigest(length)


def encode(content: Mapping[str, object]) -> str:
    """Return a dashboard as databags carry it: JSON, xz, base64."""
    import lzma

    return base64.b64encode(lzma.compress(json.dumps(content).encode(), preset=1)).decode()
