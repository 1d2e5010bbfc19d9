"""What the user's own files say about observability: paas-config.yaml and cos_custom/.

Packing writes both as JSON too, because reading YAML without a compiled parser would take longer than the whole hook.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from nuages.charm.facts import NO_CUSTOM, PLAIN, Custom, Paas
from nuages.contract import layout


def read(directory: Path, name: str) -> dict[str, object]:
    """Return the content of a file that packing wrote; nothing when there is none.

    Raises:
        ValueError: it is not what packing writes.
    """
    try:
        text = (directory / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    return cast("dict[str, object]", json.loads(text))


def paas(directory: Path) -> Paas:
    """Return what paas-config.yaml says."""
    data = read(directory, layout.PAAS_CONFIG)
    if not data:
        return PLAIN
    prometheus = data.get("prometheus")
    jobs = cast("Mapping[str, object]", prometheus).get("scrape_configs") if isinstance(prometheus, dict) else None
    return Paas(
        port=_number(data.get("port"), layout.WEB_PORT),
        metrics_port=_number(data.get("metrics-port"), layout.METRICS_PORT),
        metrics_path=str(data.get("metrics-path") or layout.METRICS_PATH),
        json_logs=data.get("framework_logging_format") == "json",
        scrape_configs=tuple(
            cast("Mapping[str, object]", job)
            for job in (cast("list[object]", jobs) if isinstance(jobs, list) else [])
            if isinstance(job, dict)
        ),
    )


def _number(value: object, default: int) -> int:
    return value if isinstance(value, int) and value else default


def custom(directory: Path) -> Custom:
    """Return the user's own rules and dashboards, under the names that they get beside the built-in ones."""
    data = read(directory, layout.COS_CUSTOM)
    if not data:
        return NO_CUSTOM
    return Custom(*(_renamed(data.get(kind)) for kind in Custom._fields))


def _renamed(files: object) -> dict[str, object]:
    """Put `custom_` before the files' names, so that none takes a built-in one's place."""
    found: dict[str, object] = {}
    for path, content in cast("dict[str, object]", files).items() if isinstance(files, dict) else ():
        folder, slash, name = path.rpartition("/")
        found[f"{folder}{slash}custom_{name}"] = content
    return found
