"""The documents inside a charm, made from the expanded charmcraft.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


def documents(
    expanded: dict[str, Value], base: Base, runs_on: Sequence[str], attributes: Mapping[str, str]
) -> dict[str, str]:
    """Return the documents of a charm by file name; `runs_on` and `attributes` are the manifest's.

    What the run time reads is JSON, a subset of YAML, because without a compiled YAML parser that is read a hundred
    times faster; charmcraft.yaml is for people.
    """
    found = {
        "metadata.yaml": to_json(metadata(expanded)),
        "manifest.yaml": to_json(manifest(base, runs_on, attributes)),
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


def manifest(base: Base, runs_on: Sequence[str], attributes: Mapping[str, str]) -> dict[str, Value]:
    """Return manifest.yaml: what the charm was made by and runs on. The time is fixed: same input, same bytes."""
    system, _, channel = base.name.partition("@")
    where: dict[str, Value] = {"name": system, "channel": channel, "architectures": [*runs_on]}
    return {
        "charmcraft-version": f"nuages-{__version__}",
        "charmcraft-started-at": "1980-01-01T00:00:00Z",
        "bases": [where],
        "analysis": {"attributes": [{"name": name, "result": result} for name, result in attributes.items()]},
    }


def platforms(expanded: dict[str, Value], base: Base) -> dict[str, list[str]]:
    """Return the declared platforms with their architectures; amd64 when the document declares none.

    Without `platforms:` the names are those that charmcraft gives to `bases:`, for instance ubuntu-22.04-amd64.
    """
    found: dict[str, list[str]] = {}
    declared = expanded.get("platforms")
    for name, entry in declared.items() if isinstance(declared, dict) else ():
        targets = entry.get("build-for") if isinstance(entry, dict) else None
        items = targets if isinstance(targets, list) else [name if targets is None else targets]
        found[name] = [str(target).rsplit(":", 1)[-1] for target in items]
    if found:
        return found
    named: list[str] = []
    bases = expanded.get("bases")
    for entry in bases if isinstance(bases, list) else ():
        run_on = entry.get("run-on") if isinstance(entry, dict) else None
        for item in run_on if isinstance(run_on, list) else [entry]:
            those = item.get("architectures") if isinstance(item, dict) else None
            named.extend(str(name) for name in (those if isinstance(those, list) else ()))
    runs_on = sorted(set(named)) or ["amd64"]
    return {"-".join([base.name.replace("@", "-"), *runs_on]): runs_on}


def architectures(chosen: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the architectures of some platforms."""
    return sorted({name for names in chosen.values() for name in names})


def file_name(expanded: dict[str, Value], chosen: Iterable[str]) -> str:
    """Return charmcraft's name for the file, with the names of the platforms that it is for."""
    return f"{expanded['name']}_{'-'.join(chosen).replace('@', '-').replace(':', '-')}.charm"
