"""The variables `$CRAFT_...` that charmcraft replaces in every text of charmcraft.yaml, keys included.

Facts from craft-parts 2.37. Those that name folders of a build are left: nothing is built there.
"""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nuages.extension.load import Value

_HOSTS = {"x86_64": ("amd64", "x86_64-linux-gnu"), "aarch64": ("arm64", "aarch64-linux-gnu")}


def substitute(document: dict[str, Value]) -> dict[str, Value]:
    """Return the document with the variables replaced."""
    architecture, triplet = _HOSTS.get(platform.machine(), ("amd64", "x86_64-linux-gnu"))
    version = document.get("version")
    values = {
        "CRAFT_PROJECT_NAME": str(document.get("name") or ""),
        "CRAFT_PROJECT_VERSION": "" if version is None else str(version),
        "CRAFT_ARCH_TRIPLET_BUILD_FOR": triplet,
        "CRAFT_ARCH_TRIPLET_BUILD_ON": triplet,
        "CRAFT_ARCH_BUILD_FOR": architecture,
        "CRAFT_ARCH_BUILD_ON": architecture,
        "CRAFT_ARCH_TRIPLET": triplet,
        "CRAFT_TARGET_ARCH": architecture,
    }
    forms = [form for name, value in values.items() for form in ((f"${{{name}}}", value), (f"${name}", value))]
    forms.sort(key=lambda form: -len(form[0]))
    return {key: _replaced(value, forms) for key, value in document.items()}


def _replaced(value: Value, forms: list[tuple[str, str]]) -> Value:
    if isinstance(value, str):
        if "$" in value:
            for name, text in forms:
                value = value.replace(name, text)
        return value
    if isinstance(value, list):
        return [_replaced(item, forms) for item in value]
    if isinstance(value, dict):
        return {str(_replaced(key, forms)): _replaced(item, forms) for key, item in value.items()}
    return value
