"""The routes: each reads its request, asks the model and answers with a document."""

from __future__ import annotations

import os
import time

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import nuages
from nuages.engine import deployments, mutations, podspec
from nuages.engine.api import documents, live, requests
from nuages.engine.api.answers import Handler, answering, body_of, document, http_error, seconds
from nuages.engine.api.applications import ApplicationsApi
from nuages.engine.api.connect import ConnectApi
from nuages.engine.api.secrets import SecretsApi
from nuages.engine.api.snapshots import SnapshotsApi
from nuages.engine.api.status import status
from nuages.engine.api.streams import StreamsApi
from nuages.engine.api.unit_document import show_unit
from nuages.engine.daemon import Daemon
from nuages.engine.errors import EngineError
from nuages.engine.hooks.environment import SOCKET, TOOLS_DIRECTORY, charm_directory
from nuages.engine.lifecycle import unit as find_unit
from nuages.engine.runner import ModelRunner


def make_app(daemon: Daemon) -> Starlette:
    """Return the daemon's application."""
    api, secrets, streams = Api(daemon), SecretsApi(daemon), StreamsApi(daemon)
    snapshots = SnapshotsApi(daemon)
    connect, applications = ConnectApi(daemon), ApplicationsApi(daemon)
    table: tuple[tuple[str, str, Handler], ...] = (
        ("GET", "/v1/version", api.version),
        ("POST", "/v1/shutdown", api.shutdown),
        ("GET", "/v1/models", api.models),
        ("PUT", "/v1/models/{model}", api.create),
        ("DELETE", "/v1/models/{model}", api.purge),
        ("POST", "/v1/models/{model}/down", api.down),
        ("POST", "/v1/models/{model}/start", api.start),
        ("POST", "/v1/models/{model}/retry", api.retry),
        ("GET", "/v1/models/{model}/status", api.status),
        ("GET", "/v1/models/{model}/units/{application}/{number}", api.unit),
        ("GET", "/v1/models/{model}/applications/{application}", applications.show),
        ("GET", "/v1/models/{model}/actions/{application}", applications.actions),
        ("GET", "/v1/models/{model}/observed", api.observed),
        ("GET", "/v1/models/{model}/settled", api.settled),
        ("POST", "/v1/models/{model}/deploy", api.deploy),
        ("POST", "/v1/models/{model}/refresh", api.refresh),
        ("POST", "/v1/models/{model}/integrate", api.integrate),
        ("POST", "/v1/models/{model}/remove-relation", api.remove_relation),
        ("GET", "/v1/models/{model}/config/{application}", api.get_config),
        ("POST", "/v1/models/{model}/config/{application}", api.set_config),
        ("GET", "/v1/models/{model}/model-config", api.get_model_config),
        ("POST", "/v1/models/{model}/model-config", api.set_model_config),
        ("POST", "/v1/models/{model}/trust", api.trust),
        ("POST", "/v1/models/{model}/scale", api.scale),
        ("POST", "/v1/models/{model}/remove-application", applications.remove),
        ("POST", "/v1/models/{model}/resolved", api.resolved),
        ("POST", "/v1/models/{model}/run", api.run),
        ("POST", "/v1/models/{model}/exec", api.execute),
        ("POST", "/v1/models/{model}/enter", api.enter),
        ("POST", "/v1/models/{model}/connect", connect.client),
        ("GET", "/v1/models/{model}/connect", connect.port),
        ("GET", "/v1/models/{model}/changes", api.changes),
        ("GET", "/v1/models/{model}/changes/{change}", api.change),
        ("GET", "/v1/models/{model}/debug-log", streams.debug_log),
        ("GET", "/v1/models/{model}/logs", streams.logs),
        ("GET", "/v1/models/{model}/plan", streams.plan),
        ("GET", "/v1/models/{model}/secrets", secrets.list),
        ("GET", "/v1/models/{model}/secrets/{secret}", secrets.show),
        ("GET", "/v1/models/{model}/snapshots", snapshots.list),
        ("PUT", "/v1/models/{model}/snapshots/{snapshot}", snapshots.take),
        ("POST", "/v1/models/{model}/snapshots/{snapshot}/restore", snapshots.restore),
        ("DELETE", "/v1/models/{model}/snapshots/{snapshot}", snapshots.remove),
        ("POST", "/v1/models/{model}/add-secret", secrets.add),
        ("POST", "/v1/models/{model}/update-secret", secrets.update),
        ("POST", "/v1/models/{model}/grant-secret", secrets.grant),
        ("POST", "/v1/models/{model}/revoke-secret", secrets.revoke),
        ("POST", "/v1/models/{model}/remove-secret", secrets.remove),
    )

    def undisturbed(handler: Handler) -> Handler:
        """Refuse a change of a model while a snapshot of it is made or put back."""

        async def answer(request: Request) -> Response:
            daemon.check_idle(request.path_params["model"])
            return await handler(request)

        return answer

    routes = [
        Route(
            path,
            answering(undisturbed(handler) if method == "POST" and "{model}" in path else handler),
            methods=[method],
        )
        for method, path, handler in table
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: http_error})
    app.router.redirect_slashes = False  # a name that is missing is no other path
    return app


class Api:
    """The handlers."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon

    async def version(self, request: Request) -> Response:
        """Say who answers."""
        return document({"version": nuages.__version__, "pid": os.getpid(), "state": str(self.daemon.directory)})

    async def shutdown(self, request: Request) -> Response:
        """Stop the daemon; pods go on."""
        self.daemon.shutdown()
        return document({})

    async def models(self, request: Request) -> Response:
        """List the models."""
        listed = [
            {
                "name": name,
                "uuid": runner.state.uuid,
                "project": runner.state.project,
                "running": not runner.state.stopped,
                "ports": sorted(set(runner.state.published.values())),
            }
            for name, runner in sorted(self.daemon.runners.items())
        ]
        broken = [
            {"name": name, "uuid": "", "project": None, "running": False, "error": error}
            for name, error in sorted(self.daemon.broken.items())
        ]
        return document([*listed, *broken])

    async def create(self, request: Request) -> Response:
        """Make a model unless it is there."""
        body = await body_of(request, requests.CreateModel)
        name = request.path_params["model"]
        created = await self.daemon.create(name, body.project)
        return document({"name": name, "uuid": self.daemon.runner(name).state.uuid, "created": created})

    async def purge(self, request: Request) -> Response:
        """Remove a model and everything of it."""
        await self.daemon.purge(request.path_params["model"])
        return document({})

    async def down(self, request: Request) -> Response:
        """Stop all pods of a model."""
        return document({"change": await self._runner(request).down()})

    async def start(self, request: Request) -> Response:
        """Start the pods of a stopped model."""
        return document({"change": await self._runner(request).start()})

    async def retry(self, request: Request) -> Response:
        """Try at once what failed and waits for its time."""
        self._runner(request).retry()
        return document({})

    async def status(self, request: Request) -> Response:
        """Answer with `juju status --format json`."""
        runner = self._runner(request)
        found = {} if runner.state.stopped else await live.troubles(runner)
        return document(status(runner.state, runner.notes(), runner.world.pods.warning, time.time(), found))

    async def unit(self, request: Request) -> Response:
        """Answer with `juju show-unit --format json`."""
        name = f"{request.path_params['application']}/{request.path_params['number']}"
        return document(show_unit(self._runner(request).state, name))

    async def observed(self, request: Request) -> Response:
        """Answer with what `up` plans against."""
        return document(documents.observed(self._runner(request).state))

    async def settled(self, request: Request) -> Response:
        """Wait until no unit has anything to do."""
        runner = self._runner(request)
        return document({"settled": await runner.wait(runner.quiet, seconds(request))})

    async def deploy(self, request: Request) -> Response:
        """Deploy an application."""
        body = await body_of(request, requests.Deploy)
        change, name = await deployments.deploy(
            self._runner(request),
            body.charm,
            body.application,
            resources=body.resources,
            values=body.config,
            units=body.num_units,
            trust=body.trust,
        )
        return document({"change": change, "application": name})

    async def refresh(self, request: Request) -> Response:
        """Refresh an application."""
        body = await body_of(request, requests.Refresh)
        change = await deployments.refresh(self._runner(request), body.application, body.charm, body.resources)
        return document({"change": change})

    async def integrate(self, request: Request) -> Response:
        """Relate two applications."""
        one, two = (await body_of(request, requests.Endpoints)).endpoints
        change, relation = mutations.integrate(self._runner(request), (one, two))
        return document({"change": change, "relation": relation})

    async def remove_relation(self, request: Request) -> Response:
        """Take a relation away."""
        one, two = (await body_of(request, requests.Endpoints)).endpoints
        return document({"change": mutations.remove_relation(self._runner(request), (one, two))})

    async def get_config(self, request: Request) -> Response:
        """Answer with an application's configuration."""
        runner = self._runner(request)
        return document(documents.application_config(runner.state, request.path_params["application"]))

    async def set_config(self, request: Request) -> Response:
        """Set and reset options."""
        body = await body_of(request, requests.Configure)
        name = request.path_params["application"]
        return document({"change": mutations.configure(self._runner(request), name, body.set, body.reset)})

    async def get_model_config(self, request: Request) -> Response:
        """Answer with the model's configuration."""
        return document(documents.model_config(self._runner(request).state))

    async def set_model_config(self, request: Request) -> Response:
        """Set and reset the model's options."""
        body = await body_of(request, requests.Configure)
        return document({"change": mutations.configure_model(self._runner(request), body.set, body.reset)})

    async def trust(self, request: Request) -> Response:
        """Trust a charm, or no longer."""
        body = await body_of(request, requests.Trust)
        return document({"change": mutations.trust(self._runner(request), body.application, body.trust)})

    async def scale(self, request: Request) -> Response:
        """Ask for more or fewer units."""
        body = await body_of(request, requests.Scale)
        runner = self._runner(request)
        change = mutations.scale(runner, body.application, body.units, body.delta, force=body.force)
        return document({"change": change})

    async def resolved(self, request: Request) -> Response:
        """Let failed hooks run again, or count as run."""
        body = await body_of(request, requests.Resolved)
        runner = self._runner(request)
        return document({"change": mutations.resolve(runner, body.units, every=body.all, retry=body.retry)})

    async def run(self, request: Request) -> Response:
        """Run an action."""
        body = await body_of(request, requests.Run)
        return document({"change": mutations.run(self._runner(request), body.unit, body.action, body.params)})

    async def execute(self, request: Request) -> Response:
        """Run a command in the charm container."""
        body = await body_of(request, requests.Exec)
        return document({"change": mutations.execute(self._runner(request), body.unit, body.argv)})

    async def enter(self, request: Request) -> Response:
        """Answer with the host command that opens a terminal in a pod."""
        body = await body_of(request, requests.Enter)
        runner = self._runner(request)
        unit = find_unit(runner.state, body.unit)
        pod = runner.world.pods.pod(unit.name)
        if pod is None:
            raise EngineError(f"cannot enter {unit.name}: its pod does not run", fix="nuages status")
        environment = {
            "PATH": f"{TOOLS_DIRECTORY}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "JUJU_CHARM_DIR": charm_directory(unit.name),
            "JUJU_AGENT_SOCKET_ADDRESS": SOCKET,
        }
        mounts = podspec.hook_mounts(runner.world, unit.name) if body.container is None else ()
        argv = pod.enter(body.container, body.argv, tty=body.tty, mounts=mounts, environment=environment)
        return document({"argv": argv})

    async def changes(self, request: Request) -> Response:
        """List the changes, oldest first."""
        runner = self._runner(request)
        changes = sorted(runner.state.changes, key=int)
        return document([documents.change(runner.change(change)) for change in changes])

    async def change(self, request: Request) -> Response:
        """Answer with a change, once it is ready when asked to wait."""
        runner = self._runner(request)
        change = request.path_params["change"]
        runner.change(change)
        await runner.wait(lambda: runner.change(change).ready is not None, seconds(request))
        return document(documents.change(runner.change(change)))

    def _runner(self, request: Request) -> ModelRunner:
        return self.daemon.runner(request.path_params["model"])
