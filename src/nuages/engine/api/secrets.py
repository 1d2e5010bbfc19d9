"""The routes of a user's secrets. Content comes in bodies and goes out when revealed; no change and no log has it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from nuages.engine import secret_documents, secret_mutations
from nuages.engine.api import requests
from nuages.engine.api.answers import body_of, document, number
from nuages.engine.daemon import Daemon
from nuages.engine.runner import ModelRunner


class SecretsApi:
    """The handlers."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon

    async def list(self, request: Request) -> Response:
        """Answer with `juju secrets --format json`."""
        query, model = request.query_params, self._runner(request).state
        revisions = query.get("revisions") == "1"
        return document(secret_documents.listing(model, query.get("owner", ""), revisions=revisions))

    async def show(self, request: Request) -> Response:
        """Answer with `juju show-secret --format json`."""
        query, model = request.query_params, self._runner(request).state
        shown = secret_documents.details(
            model,
            request.path_params["secret"],
            revision=number(request, "revision"),
            revisions=query.get("revisions") == "1",
            reveal=query.get("reveal") == "1",
        )
        return document(shown)

    async def add(self, request: Request) -> Response:
        """Add a secret and answer with its URI."""
        body = await body_of(request, requests.AddSecret)
        change, uri = secret_mutations.add(self._runner(request), body.name, body.content, body.info)
        return document({"change": change, "uri": uri})

    async def update(self, request: Request) -> Response:
        """Change a secret."""
        body = await body_of(request, requests.UpdateSecret)
        change = secret_mutations.update(
            self._runner(request),
            body.secret,
            content=body.content,
            name=body.name,
            info=body.info,
            auto_prune=body.auto_prune,
        )
        return document({"change": change})

    async def grant(self, request: Request) -> Response:
        """Let applications read a secret."""
        body = await body_of(request, requests.SecretAccess)
        return document({"change": secret_mutations.grant(self._runner(request), body.secret, body.applications)})

    async def revoke(self, request: Request) -> Response:
        """Take the right to read back."""
        body = await body_of(request, requests.SecretAccess)
        return document({"change": secret_mutations.revoke(self._runner(request), body.secret, body.applications)})

    async def remove(self, request: Request) -> Response:
        """Remove a secret, or one of its revisions."""
        body = await body_of(request, requests.RemoveSecret)
        return document({"change": secret_mutations.remove(self._runner(request), body.secret, body.revision)})

    def _runner(self, request: Request) -> ModelRunner:
        return self.daemon.runner(request.path_params["model"])
