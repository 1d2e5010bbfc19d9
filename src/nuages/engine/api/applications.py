"""The routes of one application: what it is, which actions it has, and its removal."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from nuages.engine import mutations
from nuages.engine.api import application_document, requests
from nuages.engine.api.answers import body_of, document
from nuages.engine.daemon import Daemon
from nuages.engine.lifecycle import application as find_application
from nuages.engine.runner import ModelRunner


class ApplicationsApi:
    """The handlers."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon

    async def show(self, request: Request) -> Response:
        """Answer with `juju show-application --format json`."""
        name = request.path_params["application"]
        return document(application_document.show_application(self._runner(request).state, name))

    async def actions(self, request: Request) -> Response:
        """Answer with `juju actions --schema --format json`."""
        name = request.path_params["application"]
        return document(application_document.actions(self._runner(request).state, name))

    async def remove(self, request: Request) -> Response:
        """Take an application away, or only say what would go; without a change then."""
        body = await body_of(request, requests.RemoveApplication)
        runner = self._runner(request)
        charm = find_application(runner.state, body.application).charm
        volumes = tuple(runner.world.services[charm.name].volumes) if charm.built_in else ()
        removed = application_document.removed(runner.state, body.application, volumes)
        if body.dry_run:
            return document({"change": None, "removed": removed})
        change = mutations.remove_application(runner, body.application, force=body.force)
        return document({"change": change, "removed": removed})

    def _runner(self, request: Request) -> ModelRunner:
        return self.daemon.runner(request.path_params["model"])
