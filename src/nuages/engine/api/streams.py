"""The routes of logs and plans: what comes out of a model's charms and workloads."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from nuages.engine.api import workload
from nuages.engine.api.answers import document, lines, number
from nuages.engine.daemon import Daemon
from nuages.engine.errors import EngineError
from nuages.engine.loglevels import LEVELS
from nuages.engine.runner import ModelRunner


class StreamsApi:
    """The handlers."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon

    async def debug_log(self, request: Request) -> Response:
        """Stream the debug-log."""
        query = request.query_params
        level = query.get("level", "").upper()
        if level and level not in LEVELS:
            raise EngineError(f"cannot read the debug-log: no level {level}", fix=f"levels: {', '.join(LEVELS)}")
        records = self._runner(request).world.debug_log.read(
            lines=number(request, "lines"),
            follow=query.get("follow") == "1",
            level=level,
            include=tuple(query.getlist("include")),
        )
        return StreamingResponse(lines(records), media_type="application/x-ndjson")

    async def logs(self, request: Request) -> Response:
        """Stream the workload's logs."""
        query, runner = request.query_params, self._runner(request)
        units = workload.chosen_units(runner, query.get("application", ""), query.get("unit", ""))
        workload.check_container(runner, units, query.get("container", ""))
        most = number(request, "lines")
        records = workload.read(
            runner,
            units=units,
            container=query.get("container", ""),
            service=query.get("service", ""),
            lines=30 if most is None else most,
            follow=query.get("follow") == "1",
        )
        return StreamingResponse(lines(records), media_type="application/x-ndjson")

    async def plan(self, request: Request) -> Response:
        """Answer with the merged plan of each of a unit's containers; it holds secrets, as `pebble plan` does."""
        runner = self._runner(request)
        return document({"containers": await workload.plans(runner, request.query_params.get("unit", ""))})

    def _runner(self, request: Request) -> ModelRunner:
        return self.daemon.runner(request.path_params["model"])
