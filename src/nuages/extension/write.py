"""Writing documents: YAML for people, JSON (which is YAML too) for the charm's run time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from nuages.extension.load import Value

_BaseDumper: type[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_BaseDumper):
    """Texts of several lines as blocks, no aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: Any, text: str) -> Any:
    style = "|" if "\n" in text and not any(line != line.rstrip() for line in text.split("\n")) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def to_yaml(document: dict[str, Value]) -> str:
    """Return `document` as YAML, keys in their order."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def to_json(document: dict[str, Value]) -> str:
    """Return `document` as JSON that every YAML reader reads alike: no escaped characters, no exponents.

    PyYAML takes `1e-05` for text, and an escaped surrogate pair for two characters.
    """
    return _json(document, "\n") + "\n"


def _json(value: Value, indent: str) -> str:
    inner = indent + " "
    if isinstance(value, dict) and value:
        items = (f"{_quoted(key)}: {_json(item, inner)}" for key, item in value.items())
        return "{" + inner + ("," + inner).join(items) + indent + "}"
    if isinstance(value, list) and value:
        return "[" + inner + ("," + inner).join(_json(item, inner) for item in value) + indent + "]"
    if isinstance(value, float) and "e" in repr(value):
        from decimal import Decimal

        text = format(Decimal(repr(value)), "f")
        return text if "." in text else text + ".0"
    return _quoted(value)


def _quoted(value: Value) -> str:
    """Return `value` as JSON; what YAML readers refuse as bare characters stays escaped."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    code = ord(character)
    special = 0x7F <= code <= 0x9F or code in (0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF)
    return f"\\u{code:04x}" if special else character
