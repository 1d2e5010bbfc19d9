"""paas-config.yaml and cos_custom/, parsed: what the charm reads at run time instead of YAML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from nuages.build.errors import BuildError
from nuages.build.files import NEVER, walk
from nuages.contract import layout
from nuages.extension.load import load
from nuages.extension.write import to_json

if TYPE_CHECKING:
    from pathlib import Path

    from nuages.extension.load import Value
    from nuages.extension.project import Project

RULES = (".rule", ".rules", ".yml", ".yaml")
DASHBOARDS = (".json",)
KINDS = {
    "prometheus_alert_rules": RULES,
    "loki_alert_rules": RULES,
    "grafana_dashboards": DASHBOARDS,
}
"""Directory of cos_custom/ to how the names of its files end."""


def documents(project: Project, charm_dir: Path) -> dict[str, str]:
    """Return the files that packing adds, by name; none for a charm without such configuration.

    Raises:
        BuildError: a file in cos_custom/ is nothing that Prometheus, Loki or Grafana could read.
        ExtensionError: one is no YAML.
    """
    found: dict[str, str] = {}
    if project.paas_config is not None and project.paas_config.data:
        found[layout.PAAS_CONFIG] = to_json(project.paas_config.data)
    custom: dict[str, Value] = {}
    for kind, endings in KINDS.items():
        directory = charm_dir / "cos_custom" / kind
        if directory.is_dir():
            files = {path.relative_to(directory).as_posix(): _read(path, endings) for path in walk(directory, NEVER)}
            custom[kind] = cast("Value", files)
    if any(custom.values()):
        found[layout.COS_CUSTOM] = to_json(custom)
    return found


def _read(path: Path, endings: tuple[str, ...]) -> dict[str, Value]:
    if path.suffix not in endings:
        raise BuildError(
            f"cannot pack {path}: its name must end with {' or '.join(endings)}",
            fix="rename it, or move it out of cos_custom/",
            code="cos-custom",
        )
    if endings is DASHBOARDS:
        return _dashboard(path)
    content = load(path.read_bytes(), str(path)).data
    groups = content.get("groups")
    rules = [content] if "groups" not in content else _rules(groups)
    if rules is None or not all(isinstance(rule, dict) and "expr" in rule for rule in rules):
        raise BuildError(
            f"cannot pack {path}: it holds no alert rules",
            fix="write one rule with `alert:` and `expr:`, or `groups:` with a list, each with `name:` and `rules:`",
            code="cos-custom",
        )
    return content


def _rules(groups: Value) -> list[Value] | None:
    """Return the rules of all groups; None when these are no groups."""
    if not isinstance(groups, list):
        return None
    found: list[Value] = []
    for group in groups:
        rules = group.get("rules") if isinstance(group, dict) else None
        if not isinstance(rules, list):
            return None
        found += rules
    return found


def _dashboard(path: Path) -> dict[str, Value]:
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BuildError(
            f"cannot pack {path}: it is no JSON: {error}",
            fix="export the dashboard from Grafana again",
            code="cos-custom",
        ) from None
    if not isinstance(content, dict):
        raise BuildError(
            f"cannot pack {path}: it is no dashboard", fix="export the dashboard from Grafana again", code="cos-custom"
        )
    return cast("dict[str, Value]", content)
