"""Tools about the unit itself: configuration, leadership, status, log, ports, memory, resources, storage."""

from __future__ import annotations

import json
import re
from typing import Any, cast

import yaml

from nuages.engine.hooks.arguments import Arguments, Flag
from nuages.engine.hooks.context import HookContext
from nuages.engine.hooks.errors import ToolError, UsageError
from nuages.engine.hooks.tools.tool import FORMAT, SILENT, Tool
from nuages.engine.secrets import NOT_LEADER
from nuages.engine.state import Status
from nuages.engine.statuses import derived

PORT = re.compile(r"(\d+)(?:-(\d+))?(?:/(tcp|udp))?", re.IGNORECASE)


def config_get(context: HookContext, arguments: Arguments) -> Any:
    """Return all options or one."""
    options = context.config()
    key = arguments.at(0)
    if key:
        return options.get(key)
    if arguments.flag("all"):
        return {**dict.fromkeys(sorted(context.application.charm.options)), **options}
    return options


def is_leader(context: HookContext, arguments: Arguments) -> bool:
    """Return whether the unit leads."""
    return context.is_leader


def status_set(context: HookContext, arguments: Arguments) -> Any:
    """Set the status of the unit or of the application."""
    if not arguments.positional:
        raise UsageError("invalid args, require <status> [message]")
    context.set_status(arguments.at(0), arguments.at(1), application=arguments.flag("application"))
    return SILENT


def status_get(context: HookContext, arguments: Arguments) -> Any:
    """Return the status of the unit or of the application."""
    data = arguments.flag("include-data")
    plain = not data and arguments.text("format") in ("", "smart")
    if not arguments.flag("application"):
        return context.unit.status.status if plain else _shown(context.unit.status, data=data)
    if not context.is_leader:
        raise ToolError(NOT_LEADER)
    units = context.draft.units_of(context.unit.application)
    status = context.application.status or derived(unit.status for unit in units)
    if plain:
        return status.status
    shown = {unit.name: _shown(unit.status, data=data) for unit in units}
    return {"application-status": {**_shown(status, data=data), "units": shown}}


def juju_log(context: HookContext, arguments: Arguments) -> Any:
    """Write to the debug-log."""
    if not arguments.positional:
        raise UsageError("no message specified")
    level = "DEBUG" if arguments.flag("debug") else (arguments.text("log-level") or "INFO").upper()
    context.log(level, " ".join(arguments.positional))
    return SILENT


def application_version_set(context: HookContext, arguments: Arguments) -> Any:
    """Set the version that status shows."""
    if not arguments.positional:
        raise UsageError("no version specified")
    context.set_version(arguments.at(0))
    return SILENT


def open_port(context: HookContext, arguments: Arguments) -> Any:
    """Open ports when the hook succeeds."""
    ports = _ports(arguments)
    context.set_ports(lambda current: current | ports)
    return SILENT


def close_port(context: HookContext, arguments: Arguments) -> Any:
    """Close ports when the hook succeeds."""
    ports = _ports(arguments)
    context.set_ports(lambda current: current - ports)
    return SILENT


def opened_ports(context: HookContext, arguments: Arguments) -> list[str]:
    """Return the opened ports, with --endpoints each with the endpoints it is for: all."""
    ports = sorted(context.unit.ports, key=lambda port: (port.partition("/")[2], _number(port)))
    return [f"{port} (*)" for port in ports] if arguments.flag("endpoints") else ports


def state_get(context: HookContext, arguments: Arguments) -> Any:
    """Return what the charm stored with the controller."""
    key = arguments.at(0)
    if key and key != "-":
        return context.unit.memory.get(key, "")
    return dict(context.unit.memory)


def state_set(context: HookContext, arguments: Arguments) -> Any:
    """Store with the controller when the hook succeeds."""
    context.set_memory(key_values(arguments))
    return SILENT


def state_delete(context: HookContext, arguments: Arguments) -> Any:
    """Forget a stored key when the hook succeeds."""
    context.set_memory({}, delete=(arguments.at(0),))
    return SILENT


def resource_get(context: HookContext, arguments: Arguments) -> str:
    """Return the path of a resource in the charm container."""
    name = arguments.at(0)
    path = context.resources.get(name)
    if path is None:
        raise ToolError(f"could not download resource: resource#{context.unit.application}/{name} not found")
    return path


def credential_get(context: HookContext, arguments: Arguments) -> Any:
    """There is no cloud here, so there are no credentials, trusted or not."""
    raise ToolError("cannot access cloud credentials: permission denied")


def storage_list(context: HookContext, arguments: Arguments) -> list[str]:
    """Return the storage of the unit, or that of one name."""
    wanted = arguments.at(0)
    return [f"{name}/0" for name in sorted(context.application.charm.storage) if wanted in ("", name)]


def storage_get(context: HookContext, arguments: Arguments) -> Any:
    """Return kind and location of one storage."""
    wanted = arguments.text("s") or (f"{context.hook.storage}/0" if context.hook.storage else "")
    if not wanted:
        raise UsageError("no storage instance specified")
    name, _, number = wanted.partition("/")
    if name not in context.application.charm.storage or number != "0":
        raise UsageError(f'invalid value "{wanted}" for option -s: storage "{wanted}" not found')
    values = {"kind": "filesystem", "location": f"/var/lib/juju/storage/{name}/0"}
    key = arguments.at(0)
    return values.get(key) if key else values


def unsupported(context: HookContext, arguments: Arguments) -> Any:
    """Fail as Juju does on Kubernetes."""
    raise ToolError("not supported on a Kubernetes model")


def nothing(context: HookContext, arguments: Arguments) -> Any:
    """Accept what has no effect any more."""
    return SILENT


def key_values(arguments: Arguments) -> dict[str, str]:
    """Return `key=value` arguments and the mapping that `--file` gave, the arguments winning.

    Raises:
        UsageError: one of them is no mapping of texts.
    """
    values: dict[str, str] = {}
    if arguments.stdin is not None:
        values.update(mapping(arguments.stdin))
    for item in arguments.positional:
        key, equals, value = item.partition("=")
        if not equals or not key:
            raise UsageError(f'expected "key=value", got "{item}"')
        values[key] = value
    return values


def mapping(content: bytes) -> dict[str, str]:
    """Return what `--file` holds: a mapping of texts in JSON or YAML; numbers stay as they are written.

    Raises:
        ToolError: it is no such mapping; the text never has a part of the content in it.
    """
    try:
        text = content.decode()
        document: object = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        document = _yaml(content)
    if document is None or document == "":
        return {}
    if not isinstance(document, dict):
        raise ToolError("cannot read --file: it is not a mapping")
    return {_scalar(key): _scalar(value) for key, value in cast("dict[object, object]", document).items()}


def _yaml(content: bytes) -> object:
    try:
        return yaml.load(content, Loader=yaml.BaseLoader)  # noqa: S506  makes texts, lists and mappings only
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ToolError(f"cannot read --file: line {line} is not YAML") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        raise ToolError("cannot read --file: it is not YAML") from None


def _scalar(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise ToolError("cannot read --file: a value is no text")
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # JSON may hold halves of characters


def _ports(arguments: Arguments) -> set[str]:
    text = arguments.at(0)
    if text.lower() == "icmp":
        return {"icmp"}
    match = PORT.fullmatch(text)
    if match is None:
        raise UsageError(f'invalid value "{text}": expected <port>[-<port>][/<protocol>] or icmp')
    first, last, protocol = int(match[1]), int(match[2] or match[1]), (match[3] or "tcp").lower()
    if not 0 < first <= last < 65536:
        raise UsageError(f'port range bounds must be between 1 and 65535, got "{text}"')
    return {f"{first}/{protocol}" if first == last else f"{first}-{last}/{protocol}"}


def _number(port: str) -> int:
    digits = port.partition("/")[0].partition("-")[0]
    return int(digits) if digits.isdecimal() else 0


def _shown(status: Status, *, data: bool) -> dict[str, Any]:
    more: dict[str, Any] = {"message": status.message, "status-data": {}} if data else {}
    return {"status": status.status, **more}


APPLICATION = Flag(("application",), "bool")
TOOLS = (
    Tool("config-get", config_get, (*FORMAT, Flag(("all", "a"), "bool")), 1),
    Tool("is-leader", is_leader, FORMAT),
    Tool("status-set", status_set, (APPLICATION,), 2),
    Tool("status-get", status_get, (*FORMAT, APPLICATION, Flag(("include-data",), "bool"))),
    Tool("juju-log", juju_log, (Flag(("debug",), "bool"), Flag(("log-level", "l"))), None),
    Tool("application-version-set", application_version_set, (), 1),
    Tool("open-port", open_port, (Flag(("endpoints",)),), 1),
    Tool("close-port", close_port, (Flag(("endpoints",)),), 1),
    Tool("opened-ports", opened_ports, (*FORMAT, Flag(("endpoints",), "bool"))),
    Tool("state-get", state_get, (*FORMAT, Flag(("strict",), "bool")), 1),
    Tool("state-set", state_set, (Flag(("file",)),), None),
    Tool("state-delete", state_delete, (Flag(("strict",), "bool"),), 1),
    Tool("resource-get", resource_get, FORMAT, 1),
    Tool("credential-get", credential_get, FORMAT),
    Tool("storage-list", storage_list, FORMAT, 1),
    Tool("storage-get", storage_get, (*FORMAT, Flag(("s",))), 1),
    Tool("storage-add", unsupported, (), None),
    Tool("juju-reboot", unsupported, (Flag(("now",), "bool"),)),
    Tool("pod-spec-set", unsupported, (Flag(("file",)), Flag(("k8s-resources",))), None),
    Tool("add-metric", nothing, (Flag(("labels", "l")),), None),
)
