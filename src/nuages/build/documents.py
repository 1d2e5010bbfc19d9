"""The documents inside a charm, made from the expanded charmcraft.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nuages import __version__
from nuages.extension.write import to_json, to_yaml

if TYPE_CHECKING:
    from nuages.contract.bases import Base
    from nuages.extension.load import Value

METADATA = (
    "name",
    "summary",
    "description",
    "assumes",
    "charm-user",
    "containers",
    "devices",
    "extra-bindings",
    "peers",
    "provides",
    "requires",
    "resources",
    "storage",
    "subordinate",
    "terms",
)
"""Keys of charmcraft.yaml that metadata.yaml has under the same name."""

LINKS = {
    "contact": "maintainers",
    "documentation": "docs",
    "issues": "issues",
    "source": "source",
    "website": "website",
}
"""Key below `links` to key of metadata.yaml."""

_LISTS = ("maintainers",)


def documents(expanded: dict[str, Value], base: Base) -> dict[str, str]:
    """Return the documents of a charm by file name.

    What the run time reads is JSON, a subset of YAML, because without a compiled YAML parser that is read a hundred
    times faster; charmcraft.yaml is for people.
    """
    found = {
        "metadata.yaml": to_json(metadata(expanded)),
        "manifest.yaml": to_json(manifest(expanded, base)),
        "charmcraft.yaml": to_yaml(expanded),
    }
    for key, name in (("config", "config.yaml"), ("actions", "actions.yaml")):
        value = expanded.get(key)
        if isinstance(value, dict):
            found[name] = to_json(value)
    return found


def metadata(expanded: dict[str, Value]) -> dict[str, Value]:
    """Return metadata.yaml: the charm as Juju sees it."""
    found: dict[str, Value] = {key: expanded[key] for key in METADATA if expanded.get(key) is not None}
    found.setdefault("summary", "")
    found.setdefault("description", "")
    if expanded.get("title") is not None:
        found["display-name"] = expanded["title"]
    links = expanded.get("links")
    for key, name in LINKS.items():
        value = links.get(key) if isinstance(links, dict) else None
        if value is not None:
            found[name] = [value] if name in _LISTS and not isinstance(value, list) else value
    return found


def manifest(expanded: dict[str, Value], base: Base) -> dict[str, Value]:
    """Return manifest.yaml: what the charm was made by and runs on. The time is fixed: same input, same bytes."""
    system, _, channel = base.name.partition("@")
    where: dict[str, Value] = {"name": system, "channel": channel, "architectures": [*architectures(expanded)]}
    return {
        "charmcraft-version": f"nuages-{__version__}",
        "charmcraft-started-at": "1980-01-01T00:00:00Z",
        "bases": [where],
        "analysis": {
            "attributes": [{"name": "language", "result": "python"}, {"name": "framework", "result": "operator"}]
        },
    }


def architectures(expanded: dict[str, Value]) -> list[str]:
    """Return the architectures that the document names, amd64 when it names none."""
    found: list[str] = []
    platforms = expanded.get("platforms")
    for entry in platforms.values() if isinstance(platforms, dict) else ():
        targets = entry.get("build-for") if isinstance(entry, dict) else None
        found.extend(str(target).rsplit(":", 1)[-1] for target in (targets if isinstance(targets, list) else ()))
    bases = expanded.get("bases")
    for entry in bases if isinstance(bases, list) else ():
        run_on = entry.get("run-on") if isinstance(entry, dict) else None
        for item in run_on if isinstance(run_on, list) else [entry]:
            named = item.get("architectures") if isinstance(item, dict) else None
            found.extend(str(name) for name in (named if isinstance(named, list) else ()))
    return sorted(set(found)) or ["amd64"]


def file_name(expanded: dict[str, Value], base: Base) -> str:
    """Return charmcraft's name for the file: NAME_PLATFORM.charm, NAME_ubuntu-22.04-amd64.charm without platforms."""
    platforms = expanded.get("platforms")
    if isinstance(platforms, dict) and platforms:
        label = "-".join(platforms).replace("@", "-").replace(":", "-")
    else:
        label = "-".join([base.name.replace("@", "-"), *architectures(expanded)])
    return f"{expanded['name']}_{label}.charm"
