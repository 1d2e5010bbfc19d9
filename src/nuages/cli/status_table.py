"""The tables of `juju status`, from the document of `juju status --format json`. Pure."""

import re
from collections.abc import Sequence
from typing import Any

from nuages.cli.output import table

LONGEST_MESSAGE = 120
NAMED_COMMAND = re.compile(r": juju ([a-z-]+ .+)$")


def status_lines(status: dict[str, Any], *, command: str, pairs: Sequence[tuple[str, str]] | None = None) -> list[str]:
    """Return the lines of the tabular form.

    `command` is how the user calls us, for lines to paste. With `pairs` of requirer and provider (each
    `application:endpoint`) relations are shown too, peers included.
    """
    model = status["model"]
    region = f"{model['cloud']}/{model['region']}" if model.get("region") else str(model["cloud"])
    stamp = str(status.get("controller", {}).get("timestamp", ""))
    sections: list[list[str]] = [
        table(
            [
                ("Model", "Controller", "Cloud/Region", "Version", "Timestamp"),
                (model["name"], model["controller"], region, model["version"], stamp),
            ]
        )
    ]
    applications: dict[str, Any] = status.get("applications") or {}
    if applications:
        sections.append(_applications(applications))
        units = _units(applications)
        if units:
            sections.append(units)
        related = [] if pairs is None else _relations(applications, pairs)
        if related:
            sections.append(related)
    ours = _ours(status, command)
    if ours:
        sections.append(ours)
    if not applications and not ours:
        sections.append([f'Model "{model["name"]}" is empty.'])
    lines: list[str] = []
    for section in sections:
        lines += ["", *section] if lines else section
    return lines


def _applications(applications: dict[str, Any]) -> list[str]:
    rows = [("App", "Version", "Status", "Scale", "Charm", "Channel", "Rev", "Address", "Exposed", "Message")]
    for name, application in sorted(applications.items()):
        state = application.get("application-status", {})
        charm = str(application["charm-name"])
        if application.get("charm-origin") == "built-in":
            charm += " (built-in)"
        wanted = int(application.get("scale", 0))
        units: dict[str, Any] = application.get("units") or {}
        ready = sum(1 for unit in units.values() if _settled(unit))
        rows.append(
            (
                name,
                str(application.get("version", "")),
                str(state.get("current", "unknown")),
                str(wanted) if ready == wanted else f"{ready}/{wanted}",
                charm,
                str(application.get("charm-channel", "")),
                str(application.get("charm-rev", "")),
                str(application.get("address", "")),
                "yes" if application.get("exposed") else "no",
                _message(state),
            )
        )
    return table(rows, right=frozenset({3, 6}))


def _units(applications: dict[str, Any]) -> list[str]:
    rows = [("Unit", "Workload", "Agent", "Address", "Ports", "Message")]
    for _, application in sorted(applications.items()):
        units: dict[str, Any] = application.get("units") or {}
        for name, unit in sorted(units.items(), key=lambda item: int(item[0].rpartition("/")[2])):
            workload, agent = unit.get("workload-status", {}), unit.get("juju-status", {})
            rows.append(
                (
                    name + ("*" if unit.get("leader") else ""),
                    str(workload.get("current", "unknown")),
                    str(agent.get("current", "")),
                    str(unit.get("address", "")),
                    ",".join(unit.get("open-ports") or ()),
                    _message(workload) or _message(agent),
                )
            )
    return table(rows) if len(rows) > 1 else []


def _relations(applications: dict[str, Any], pairs: Sequence[tuple[str, str]]) -> list[str]:
    rows: list[tuple[str, ...]] = []
    for requirer, provider in pairs:
        rows.append((provider, requirer, _interface(applications, requirer), "regular", ""))
    for name, application in applications.items():
        endpoints: dict[str, list[dict[str, str]]] = application.get("relations") or {}
        for endpoint, related in endpoints.items():
            if any(other["related-application"] == name for other in related):
                side = f"{name}:{endpoint}"
                rows.append((side, side, _interface(applications, side), "peer", ""))
    if not rows:
        return []
    return table([("Integration provider", "Requirer", "Interface", "Type", "Message"), *sorted(rows)])


def _interface(applications: dict[str, Any], side: str) -> str:
    name, _, endpoint = side.partition(":")
    application: dict[str, Any] = applications.get(name) or {}
    related: dict[str, list[dict[str, str]]] = application.get("relations") or {}
    return related[endpoint][0]["interface"] if related.get(endpoint) else ""


def _ours(status: dict[str, Any], command: str) -> list[str]:
    ours: dict[str, Any] = status.get("nuages") or {}
    lines: list[str] = []
    if ours.get("stopped"):
        reason = str(ours["stopped"]).removesuffix(": nuages up")
        lines.append(f"{reason}: {command} up")
    elif ours.get("url"):
        lines.append(f"URL: {ours['url']}")
    notes_of: dict[str, list[str]] = ours.get("notes") or {}
    for application, notes in sorted(notes_of.items()):
        lines += [f"{application}: {text}" for text in notes]
    if ours.get("warning"):
        lines.append(f"warning: {ours['warning']}")
    return lines + [f"fix: {command} {words}" for words in _named_commands(status)]


def _named_commands(status: dict[str, Any]) -> list[str]:
    """Return what the messages of blocked units say to type, without `juju`: a charm does not know its home."""
    found: dict[str, None] = {}
    applications: dict[str, Any] = status.get("applications") or {}
    for application in applications.values():
        units: dict[str, Any] = application.get("units") or {}
        for unit in units.values():
            state: dict[str, Any] = unit.get("workload-status", {})
            named = NAMED_COMMAND.search(str(state.get("message") or ""))
            if named and state.get("current") == "blocked":
                found[named[1]] = None
    return list(found)


def _settled(unit: dict[str, Any]) -> bool:
    return unit.get("juju-status", {}).get("current") not in {"allocating", "lost"}


def _message(state: dict[str, Any]) -> str:
    text = " ".join(str(state.get("message") or "").split())
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"
