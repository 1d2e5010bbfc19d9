"""The Pebble layer and the metadata inside a rock, as rockcraft writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nuages.contract import layout

if TYPE_CHECKING:
    from nuages.build.rock_project import RockProject
    from nuages.extension.load import Value

STATSD_MAPPING = """\
mappings:
  - match: gunicorn.request.status.*
    name: django_response_code
    labels:
      status: $1
  - match: gunicorn.requests
    name: django_requests
  - match: gunicorn.request.duration
    name: django_request_duration
"""
"""gunicorn's metrics under the names of the contract."""


def layer(project: RockProject) -> dict[str, Value]:
    """Return the layer: the web service, statsd-exporter, and what rockcraft.yaml adds or changes."""
    services: dict[str, Value] = {
        layout.WEB_SERVICE: {
            "override": "replace",
            "startup": "enabled",
            "command": web_command(project.base.layout, project.wsgi or "", project.asynchronous),
            "after": [layout.STATSD_SERVICE],
            "user": layout.USER,
        },
        layout.STATSD_SERVICE: {
            "override": "merge",
            "startup": "enabled",
            "command": layout.STATSD_COMMAND,
            "summary": "statsd exporter service",
            "user": layout.USER,
        },
    }
    for name, entry in project.document.mapping("services").items():
        own = entry if isinstance(entry, dict) else {}
        contributed = services.get(name)
        common: dict[str, Value] = contributed if isinstance(contributed, dict) else {"override": "replace"}
        services[name] = {**common, **own}
    return {"summary": project.name, "services": services}


def web_command(places: layout.Layout, module: str, asynchronous: bool) -> str:
    """Return the web service's command."""
    worker_class = layout.WORKER_CLASSES[1 if asynchronous else 0]
    return places.web_command(module, worker_class)


def metadata(project: RockProject) -> dict[str, Value]:
    """Return .rock/metadata.yaml. It names no time: same input, same rock."""
    document = project.document
    return {
        "name": project.name,
        "title": document.get("title") or project.name,
        "summary": document.get("summary") or "",
        "version": project.version,
        "base": document.get("base"),
    }
