"""saml-integrator, built in: an identity provider for development with test users, or the operator's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Console, Context, Relation
from nuages.services import driver, unit
from nuages.services.identity import pod, users
from nuages.services.saml import answer, server


class SamlIntegrator:
    """The application as the engine sees it."""

    name = "saml-integrator"
    summary = "A SAML identity provider for development, with test users and a login page"
    version = server.VERSION
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "A real identity provider on one unit; speaks what Charmhub's saml-integrator speaks.",
        "containers": {server.PROGRAM.container: {}},
        "provides": {answer.ENDPOINT: {"interface": "saml"}},
    }
    options: Mapping[str, Any] = {
        "entity_id": {
            "type": "string",
            "description": "The entity ID of an identity provider of yours. Unset, it is the built-in one.",
        },
        "metadata_url": {"type": "string", "description": "Where the metadata of `entity_id` are."},
        "fingerprint": {
            "type": "string",
            "description": "SHA-256 of the signing certificate that those metadata have to name first.",
        },
        "acs_hosts": {
            "type": "string",
            "description": (
                "Hosts, between commas, to which the built-in provider sends assertions besides this machine "
                "(`localhost`, `*.localhost`) and related applications' names in the model. Only here."
            ),
        },
    }
    actions: Mapping[str, Any] = users.ACTIONS
    programs = (server.PROGRAM.libraries,)
    volumes: Mapping[str, str] = {"provider": server.DATA}
    aliases = pod.ALIASES

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        return pod.image(server.PROGRAM, programs, directory)

    async def hook(self, context: Context) -> None:
        """Run the provider, or read the operator's own; answer; say how things are."""

        async def serve() -> tuple[str, str]:
            return await _serve(context)

        await unit.hook(context, serve)

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        external = answer.parse(context.config)
        if external:
            raise driver.ServiceError(
                f"cannot {name.replace('-', ' ')}: people sign in at {external.entity_id}",
                fix=f"nuages config {context.application} --reset entity_id,metadata_url,fingerprint",
            )
        results = users.act(context, name, params)
        await _serve(context)
        if name == "show-users":
            results["url"] = await pod.address(context, server.PROGRAM)
        return results

    def console(self, context: Context, relation: Relation) -> Console:
        """Refuse: there is nothing to type into."""
        raise driver.ServiceError(
            f"cannot connect to {context.application}: people sign in there by a browser",
            fix=f"nuages run {context.unit} show-users",
        )


async def _serve(context: Context) -> tuple[str, str]:
    """Have the provider that is wanted, answer all relations, and return the unit's status."""
    external = answer.parse(context.config)
    relations = context.relations(answer.ENDPOINT)
    if external:
        await driver.stop(context)
        provider, status = await server.read(context, external), f"people sign in at {external.entity_id}"
    else:
        allowed = set(answer.hosts(context.config)) if relations else set[str]()
        for relation in relations:
            units = {unit: relation.remote_unit(unit).get("ingress-address", "") for unit in relation.remote_units}
            allowed |= answer.names(relation.remote_application, context.model, units)
        provider = await server.run(context, allowed, patient=unit.patient(context, bool(relations)))
        if provider is None:
            return "waiting", driver.WAITING
        status = f"people sign in at {await pod.address(context, server.PROGRAM)}"
    if context.is_leader:
        for relation in relations:
            driver.give(context, relation, answer.answer(provider))
    return "active", status


SERVICE = SamlIntegrator()
