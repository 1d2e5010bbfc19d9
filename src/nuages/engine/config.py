"""Configuration: text becomes a value of the option's type, all options of a request or none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from nuages.engine.errors import EngineError
from nuages.engine.state import Option

MODEL_OPTIONS: dict[str, Option] = {
    option.name: option
    for option in (
        Option("update-status-hook-interval", "string", "5m", "How often to run the update-status hook"),
        Option("logging-config", "string", "<root>=INFO", "Which levels the debug-log keeps"),
        Option("juju-http-proxy", "string", "", "HTTP proxy for charms (JUJU_CHARM_HTTP_PROXY)"),
        Option("juju-https-proxy", "string", "", "HTTPS proxy for charms (JUJU_CHARM_HTTPS_PROXY)"),
        Option("juju-ftp-proxy", "string", "", "FTP proxy for charms (JUJU_CHARM_FTP_PROXY)"),
        Option("juju-no-proxy", "string", "127.0.0.1,localhost,::1", "Hosts reached without a proxy"),
    )
}
UNITS = {"s": 1, "m": 60, "h": 3600}


class ConfigError(EngineError):
    """An option that does not exist or a value that does not fit it."""

    code = "config"


def apply(
    what: str,
    options: Mapping[str, Option],
    current: Mapping[str, Any],
    values: Mapping[str, Any],
    reset: Iterable[str],
) -> dict[str, Any]:
    """Return the set options after the request.

    Args:
        what: for messages: `notes` or `the model`.
        options: what may be set.
        current: what is set now.
        values: text, or values of the right type already.
        reset: names that go back to their default.

    Raises:
        ConfigError: with every reason, and nothing is changed.
    """
    wrong: list[str] = []
    result = dict(current)
    for name in [*values, *reset]:
        if name not in options:
            wrong.append(f"unknown option {name!r}{nearest(name, options)}")
    for name, value in values.items():
        if name not in options:
            continue
        try:
            result[name] = parse(options[name], value)
        except ValueError as error:
            wrong.append(str(error))
    for name in reset:
        result.pop(name, None)
    if wrong:
        raise ConfigError(f"cannot configure {what}: {'; '.join(wrong)}", fix=_fix(options))
    return result


def parse(option: Option, value: Any) -> str | int | float | bool:
    """Return the value for the option.

    Raises:
        ValueError: it is of another type; the text names the option, the type and the value.
    """
    parsed = _from_text(option.type, value) if isinstance(value, str) else _from_value(option.type, value)
    if parsed is None:
        shown = "a secret URI like secret:<id>" if option.type == "secret" else f"of type {option.type}"
        raise ValueError(f"option {option.name!r} is {shown}, not {value!r}")
    return parsed


def effective(options: Mapping[str, Option], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `config-get` prints: set options and defaults; an option with neither is left out."""
    result = {name: option.default for name, option in options.items() if option.default is not None}
    result.update({name: value for name, value in values.items() if name in options})
    return {name: float(value) if options[name].type == "float" else value for name, value in sorted(result.items())}


def nearest(name: str, names: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` or an empty string."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f", did you mean {close[0]!r}?" if close else ""


def seconds(duration: str) -> float:
    """Return the seconds of a duration as Juju writes it (`5m`, `1h30m`, `90s`); 300 when it is not one."""
    total, number = 0.0, ""
    for character in duration:
        if character in UNITS and number:
            total += float(number) * UNITS[character]
            number = ""
        elif character.isdigit() or character == ".":
            number += character
        else:
            return 300.0
    return total if total and not number else 300.0


def _from_text(kind: str, text: str) -> str | int | float | bool | None:
    lowered = text.strip().lower()
    result: str | int | float | bool | None = None
    try:
        if kind == "string":
            result = text
        elif kind == "int":
            result = int(lowered)
        elif kind == "float":
            result = float(lowered)
        elif kind == "boolean":
            result = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}.get(lowered)
        elif kind == "secret":
            result = text if text.startswith("secret:") and len(text) > len("secret:") else None
    except ValueError:
        return None
    return result


def _from_value(kind: str, value: Any) -> str | int | float | bool | None:
    if isinstance(value, bool):
        return value if kind == "boolean" else None
    if isinstance(value, int) and kind in ("int", "float"):
        return float(value) if kind == "float" else value
    return value if isinstance(value, float) and kind == "float" else None


def _fix(options: Mapping[str, Option]) -> str:
    return f"options: {', '.join(sorted(options))}" if options else "it has no options"
