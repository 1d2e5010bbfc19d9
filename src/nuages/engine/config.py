"""Configuration: text becomes a value of the option's type, all options of a request or none."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nuages.engine import loglevels
from nuages.engine.charm import Option
from nuages.engine.errors import EngineError

MODEL_OPTIONS: dict[str, Option] = {
    option.name: option
    for option in (
        Option("update-status-hook-interval", "duration", "5m", "How often to run the update-status hook"),
        Option("logging-config", "levels", "<root>=INFO", "Which levels the debug-log keeps, by module"),
        Option("juju-http-proxy", "string", "", "HTTP proxy for charms (JUJU_CHARM_HTTP_PROXY)"),
        Option("juju-https-proxy", "string", "", "HTTPS proxy for charms (JUJU_CHARM_HTTPS_PROXY)"),
        Option("juju-ftp-proxy", "string", "", "FTP proxy for charms (JUJU_CHARM_FTP_PROXY)"),
        Option("juju-no-proxy", "string", "127.0.0.1,localhost,::1", "Hosts reached without a proxy"),
        Option("http-proxy", "string", "", "HTTP proxy for every program of a hook (http_proxy)"),
        Option("https-proxy", "string", "", "HTTPS proxy for every program of a hook (https_proxy)"),
        Option("ftp-proxy", "string", "", "FTP proxy for every program of a hook (ftp_proxy)"),
        Option("no-proxy", "string", "127.0.0.1,localhost,::1", "Hosts that those programs reach without a proxy"),
    )
}
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
INTEGER = re.compile(r"[+-]?[0-9]+")
FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("0", "f", "F", "false", "False", "FALSE"), False),
}
LARGEST = 2**63
Value = str | int | float | bool
NAMES = {"duration": "a duration like 5m or 1h30m", "levels": "a list of levels like <root>=INFO;unit=DEBUG"}


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
    reset = list(reset)
    for name in dict.fromkeys([*values, *reset]):
        if name not in options:
            wrong.append(f"unknown option {name!r}{nearest(name, options)}")
        elif name in values and name in reset:
            wrong.append(f"cannot set and reset key {name!r} simultaneously")
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
        raise ConfigError(f"cannot configure {what}: {'; '.join(wrong)}", fix=_fix(what, options, wrong))
    return result


def parse(option: Option, value: Any) -> Value:
    """Return the value for the option.

    Raises:
        ValueError: it is of another type; the text names the option, the type and the value.
    """
    parsed = PARSERS[option.type](value) if isinstance(value, str) else _from_value(option.type, value)
    if parsed is None and option.type == "secret":
        # Juju's words but for the value: what somebody types here by mistake is the secret itself
        raise ValueError(f'option "{option.name}" expected secret, got something that is no secret URI')
    if parsed is None:
        raise ValueError(f"option {option.name!r} is {NAMES.get(option.type, f'of type {option.type}')}, not {value!r}")
    return parsed


def effective(options: Mapping[str, Option], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `config-get` prints: set options and defaults; an option with neither is left out."""
    result = {name: option.default for name, option in options.items() if option.default is not None}
    result.update({name: value for name, value in values.items() if name in options})
    return {name: float(value) if options[name].type == "float" else value for name, value in sorted(result.items())}


def nearest(name: str, names: Iterable[str]) -> str:
    """Return `, did you mean 'x'?` or an empty string."""
    close = closest(name, names)
    return f", did you mean {close!r}?" if close else ""


def closest(name: str, names: Iterable[str]) -> str:
    """Return the name that is most like this one, "" when none is."""
    return next(iter(difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)), "")


def duration(text: str) -> float | None:
    """Return the seconds of a duration as Juju writes it (`5m`, `1h30m`, `90s`), None when it is not one."""
    parts = DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def seconds(text: str) -> float:
    """Return the seconds of a duration, five minutes when it is none that makes sense."""
    return duration(text) or 300.0


def _integer(text: str) -> int | None:
    if not INTEGER.fullmatch(text) or len(text) > len(str(LARGEST)) + 1:
        return None
    return number if -LARGEST <= (number := int(text)) < LARGEST else None


def _float(text: str) -> float | None:
    return value if FLOAT.fullmatch(text) and math.isfinite(value := float(text)) else None


def _secret(text: str) -> str | None:
    return text if text == "" or text.startswith("secret:") else None


# As Juju reads them: no spaces around a value, no `1_000`, nothing endless.
PARSERS: dict[str, Callable[[str], Value | None]] = {
    "string": str,
    "int": _integer,
    "float": _float,
    "boolean": BOOLEANS.get,
    "secret": _secret,
    "duration": lambda text: text if duration(text) else None,
    "levels": lambda text: text if loglevels.parse(text) else None,
}


def _from_value(kind: str, value: Any) -> Value | None:
    if isinstance(value, bool):
        return value if kind == "boolean" else None
    if isinstance(value, int) and kind in ("int", "float") and -LARGEST <= value < LARGEST:
        return float(value) if kind == "float" else value
    return value if isinstance(value, float) and kind == "float" and math.isfinite(value) else None


def _fix(what: str, options: Mapping[str, Option], wrong: Iterable[str]) -> str:
    bad = next((name for name in options if f'option "{name}" expected secret' in " ".join(wrong)), None)
    if bad is not None:
        return f"nuages add-secret {bad} KEY=VALUE, which prints the URI; then nuages config {what} {bad}=secret:…"
    if not any(text.startswith("unknown option") for text in wrong):
        shown = "nuages model-config" if what == "the model" else f"nuages config {what}"
        return f"{shown} shows each option with its type"
    return f"options: {', '.join(sorted(options))}" if options else "it has no options"
