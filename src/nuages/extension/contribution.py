"""What the extension adds to a document, made from the contract's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nuages.contract.actions import ACTIONS, Action
from nuages.contract.bases import ASSUMES, Base
from nuages.contract.endpoints import INTERFACES
from nuages.contract.options import DYNAMIC, Option, variable_of

if TYPE_CHECKING:
    from nuages.extension.load import Value

PROTECTED = ("assumes", "containers", "resources", "peers")
"""Keys that a document may repeat only as the extension gives them."""

MERGED = (("actions",), ("requires",), ("provides",), ("config", "options"))
"""Mappings to which both the document and the extension contribute, without overlap."""


def contribution(base: Base, *, configured: bool = False) -> dict[str, Value]:
    """Return what every document on `base` gets, in charmcraft's order of keys.

    `configured` says whether paas-config.yaml lies beside charmcraft.yaml.
    """
    return {
        "assumes": list(ASSUMES),
        "containers": {base.container: {"resource": base.resource}},
        "resources": {
            base.resource: {"type": "oci-image", "description": "The rock with the Django application."},
        },
        "peers": {base.peer: {"interface": base.peer_interface}},
        "actions": {action.name: _action(action) for action in ACTIONS},
        "requires": _endpoints("requires"),
        "provides": _endpoints("provides"),
        "config": {"options": {option.name: _option(option) for option in base.options}},
        "parts": _parts(base, configured=configured),
    }


def dynamic_options(requires: dict[str, Value]) -> dict[str, Value]:
    """Return the options contributed for the endpoints in `requires`."""
    options: dict[str, Value] = {}
    for endpoint, entry in requires.items():
        interface = entry.get("interface") if isinstance(entry, dict) else None
        for option in DYNAMIC.get(interface, ()) if isinstance(interface, str) else ():
            options[endpoint + option.suffix] = {
                "type": option.type,
                "description": option.description.format(variable=variable_of(endpoint + option.suffix)),
                "default": option.default,
            }
    return options


def _option(option: Option) -> dict[str, Value]:
    entry: dict[str, Value] = {"type": option.type}
    if option.default is not None:
        entry["default"] = option.default
    entry["description"] = option.description
    return entry


def _parts(base: Base, *, configured: bool) -> dict[str, Value]:
    """Return the parts, ours: the run time needs no charm library, and nothing has to be compiled."""
    parts: dict[str, Value] = {"charm": {"plugin": "uv" if base.experimental else "charm", "source": "."}}
    if base.experimental and configured:
        parts["config"] = {"plugin": "dump", "source": ".", "stage": ["paas-config.yaml"]}
    return parts


def _action(action: Action) -> dict[str, Value]:
    entry: dict[str, Value] = {"description": action.description}
    if action.parameters:
        entry["params"] = {parameter.name: {"type": parameter.type} for parameter in action.parameters}
        entry["required"] = [parameter.name for parameter in action.parameters if parameter.required]
    return entry


def _endpoints(role: str) -> dict[str, Value]:
    endpoints: dict[str, Value] = {}
    for interface in INTERFACES:
        if interface.contributed and interface.role == role:
            entry: dict[str, Value] = {"interface": interface.name}
            if interface.limit is not None:
                entry["limit"] = interface.limit
            endpoints[interface.endpoint] = entry
    return endpoints
