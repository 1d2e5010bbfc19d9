"""Options of the charm's own: from variables that the settings read and that nothing else sets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nuages.contract.endpoints import Interface
from nuages.contract.options import PREFIX
from nuages.extension.django.aliases import aliases, is_given
from nuages.extension.django.findings import OptionFound, Read, Remark, Settings

_SECRET = re.compile(r"(^|_)(KEY|TOKEN|PASSWORD|SECRET|PASS|CREDENTIALS|DSN)$")
_SECURITY = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_PROXY_SSL_HEADER")
"""Settings that follow from the public URL."""
_TYPES = {"integer": "int", "boolean": "boolean"}


def find_options(settings: Settings | None, database: Interface) -> tuple[tuple[OptionFound, ...], tuple[Remark, ...]]:
    """Return the options, and a remark about variables that stay at their defaults."""
    if settings is None:
        return (), ()
    bridged = {alias.read.name for alias in aliases(settings, database)}
    options: list[OptionFound] = []
    rest: list[Read] = []
    for name, read in settings.variables().items():
        if name in bridged or is_given(name) or read.setting in _SECURITY:
            continue
        if name.startswith(PREFIX) or read.required:
            options.append(_option(read))
        else:
            rest.append(read)
    return tuple(options), tuple(_left(rest))


def _left(reads: list[Read]) -> Iterator[Remark]:
    if reads:
        names = [read.name for read in reads]
        shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        yield Remark(
            "decide", "variables", f"variables that the settings read, at their defaults: {shown}", reads[0].place,
            "what an operator should set: an option `x-y` under config.options, which the settings read as DJANGO_X_Y",
        )  # fmt: skip


def _option(read: Read) -> OptionFound:
    name = read.name.removeprefix(PREFIX)
    words = name.lower().split("_")
    required = read.required
    if _SECRET.search(name) and len(words) > 1 and words[-1]:
        return OptionFound(
            "-".join(word for word in words[:-1] if word), "secret", read, required=required, key=words[-1]
        )
    kind = _TYPES.get(read.kind, "string")
    default = _default(read, kind)
    option = "-".join(word for word in words if word)
    if kind == "int" and not required:
        if isinstance(default, int):
            return OptionFound(option, "int", read, default)
    elif kind == "boolean" and isinstance(default, bool) and read.true == "true":
        return OptionFound(option, "boolean", read, default)
    return OptionFound(option, "string", read, default if isinstance(default, str) else None, required=required)


def _default(read: Read, kind: str) -> str | int | bool | None:
    text = read.default
    if text is None or text == "...":
        return None
    if kind == "int" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text or None
