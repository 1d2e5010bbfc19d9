"""The variables `$CRAFT_...` that charmcraft replaces in every text of charmcraft.yaml, keys included.

Facts from craft-parts 2.37 and craft-application 7.5. Those that name folders of a build are left: nothing is built
there. Variables of the architecture are those of the platform that is packed: what it is built for, not where.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nuages.machine import TRIPLETS, architecture

if TYPE_CHECKING:
    from nuages.extension.load import Value

_UNPACKED = ("parts", "charm-libs")
"""Keys that say how a charm is built, and are nothing to what runs."""


def substitute(document: dict[str, Value], build_for: str) -> dict[str, Value]:
    """Return the document with the variables replaced; `build_for` is the architecture that the charm is for."""
    here = architecture()
    if build_for == "all":  # charmcraft takes the first that is not the machine's own
        build_for = next(name for name in TRIPLETS if name != here)
    triplet = TRIPLETS.get(build_for, f"{build_for}-linux-gnu")
    version = document.get("version")
    values = {
        "CRAFT_PROJECT_NAME": str(document.get("name") or ""),
        "CRAFT_PROJECT_VERSION": "" if version is None else str(version),
        "CRAFT_ARCH_TRIPLET_BUILD_FOR": triplet,
        "CRAFT_ARCH_TRIPLET_BUILD_ON": TRIPLETS.get(here, f"{here}-linux-gnu"),
        "CRAFT_ARCH_BUILD_FOR": build_for,
        "CRAFT_ARCH_BUILD_ON": here,
        "CRAFT_ARCH_TRIPLET": triplet,
        "CRAFT_TARGET_ARCH": build_for,
    }
    forms = [form for name, value in values.items() for form in ((f"${{{name}}}", value), (f"${name}", value))]
    forms.sort(key=lambda form: -len(form[0]))
    return {key: _replaced(value, forms) for key, value in document.items()}


def differs(document: dict[str, Value]) -> bool:
    """Whether what is packed from the document is another one for another architecture."""
    packed = {key: value for key, value in document.items() if key not in _UNPACKED}
    return substitute(packed, "amd64") != substitute(packed, "arm64")


def platform_of(document: dict[str, Value]) -> tuple[str, str]:
    """Return the platform that charmcraft takes when none is named, and its architecture; "" when it has no name.

    The first that is built on a machine like this one, else the first.
    """
    declared = document.get("platforms")
    found: list[tuple[str, list[str], list[str]]] = []
    for label, entry in declared.items() if isinstance(declared, dict) else ():
        keys = entry if isinstance(entry, dict) else {}
        on, target = (_names(keys.get(key) or label) for key in ("build-on", "build-for"))
        found.append((label, on, target))
    here = architecture()
    usable = [each for each in found if here in each[1]] or found
    label, _, target = usable[0] if usable else ("", [], [here])
    return label, (target or [here])[0]


def target_of(document: dict[str, Value], platform: str) -> str:
    """Return the architecture that a named platform is built for."""
    declared = document.get("platforms")
    entry = declared.get(platform) if isinstance(declared, dict) else None
    names = _names((entry.get("build-for") if isinstance(entry, dict) else None) or platform)
    return names[0] if names else platform


def _names(value: Value) -> list[str]:
    """Return architectures without the base that may stand before them: `ubuntu@24.04:amd64`."""
    items = value if isinstance(value, list) else [value]
    return [str(item).rpartition(":")[2] for item in items]


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
