"""smtp-integrator, built in: a mail catcher with a web page, or a host of the operator's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Console, Context, Relation
from nuages.services import driver, passwords, unit
from nuages.services.smtp import answer, server

_ENDPOINTS = (answer.ENDPOINT, answer.LEGACY)


class SmtpIntegrator:
    """The application as the engine sees it."""

    name = "smtp-integrator"
    summary = "A mail catcher: takes every mail, delivers none, shows them on a web page"
    version = server.VERSION
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "A real SMTP server on one unit; speaks what Charmhub's smtp-integrator speaks.",
        "containers": {server.CONTAINER: {}},
        "provides": {endpoint: {"interface": "smtp"} for endpoint in _ENDPOINTS},
    }
    options: Mapping[str, Any] = {
        "host": {
            "type": "string",
            "description": "The mail server to send by. Unset, mails go to the catcher and nowhere else.",
        },
        "port": {"type": "int", "default": 25, "description": "The port of the mail server, or of the catcher."},
        "user": {"type": "string", "description": "Who logs in at `host`."},
        "password": {"type": "string", "description": "The password at `host`."},
        "auth_type": {
            "type": "string",
            "description": "`none`, `not_provided` or `plain`. The catcher's is always `plain`, else it is `none`.",
        },
        "transport_security": {
            "type": "string",
            "default": answer.NONE,
            "description": "`none`, `starttls` or `tls`. The catcher makes its own certificate.",
        },
        "domain": {"type": "string", "description": "The domain that mails are sent from."},
        "skip_ssl_verify": {
            "type": "boolean",
            "default": False,
            "description": "Do not verify the certificate of `host`. The catcher's is never verified.",
        },
        "smtp_sender": {"type": "string", "description": "The address that mails are sent from."},
        "recipients": {"type": "string", "description": "Addresses, between commas, for applications that ask."},
    }
    actions: Mapping[str, Any] = {
        "show-mails": {
            "description": (
                "Open the web page with the mails caught on a port of this machine's loopback, and show its address. "
                "Only here: Charmhub's smtp-integrator catches no mails."
            )
        },
        "rotate-password": {
            "description": (
                "Give the catcher's user of a related application a new password; the old one serves for another "
                "minute. Only here."
            ),
            "params": passwords.PARAMS,
        },
    }
    programs = ("aiosmtpd",)
    volumes: Mapping[str, str] = {"mails": server.DATA}
    aliases: tuple[str, ...] = ()

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        return server.image(programs, directory)

    async def hook(self, context: Context) -> None:
        """Run the catcher, or none with a host of the operator's; answer; say how things are."""
        if context.relation and context.relation.breaking and context.is_leader:
            passwords.forget(context, driver.secret_label(context.relation, answer.PASSWORD_ID))

        async def serve() -> tuple[str, str]:
            relay = _relay(context)
            if not await _serve(context, relay, frozenset()):
                return "waiting", driver.WAITING
            return "active", "" if relay.own else f"mails go to {relay.host}:{relay.port}"

        await unit.hook(context, serve)

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        relay = _relay(context)
        if not relay.own:
            raise driver.ServiceError(
                f"cannot {name.replace('-', ' ')}: mails go to {relay.host}",
                fix=f"nuages config {context.application} --reset host",
            )
        if name == "show-mails":
            token = await driver.with_pebble(context, server.token)
            port = await context.publish("mails", server.WEB, preferred=server.WEB)
            return {"url": f"http://localhost:{port}/{token}/"}
        chosen = passwords.chosen(context, _ENDPOINTS, params.get("application"))
        await _serve(context, relay, chosen)
        return {"changed": ", ".join(sorted(chosen))}

    def console(self, context: Context, relation: Relation) -> Console:
        """Return how to talk to the catcher as the relation's user."""
        bag = relation.local_app()
        if not _relay(context).own:
            raise driver.ServiceError(
                f"cannot open a console: mails go to {bag.get('host', 'a server of yours')}",
                fix=f"use a client of that server, or: nuages config {context.application} --reset host",
            )
        content = context.secret(driver.secret_label(relation, answer.PASSWORD_ID))
        if not (content and bag.get("user")):
            raise driver.no_console(relation)
        return server.console(bag["user"], content["password"], int(bag["port"]), bag["transport_security"])


def _relay(context: Context) -> answer.Relay:
    return answer.parse(context.config, f"{context.application}.{context.model}.svc.cluster.local")


async def _serve(context: Context, relay: answer.Relay, rotate: frozenset[str]) -> bool:
    """Make users for all relations and answer them; return whether the server is ready.

    The users of the applications in `rotate` get new passwords.
    """
    relations = [relation for endpoint in _ENDPOINTS for relation in context.relations(endpoint)]
    if not relay.own:
        await driver.stop(context)
        pairs: dict[int, passwords.Passwords] = {}
    else:
        pairs = {
            relation.id: _passwords(context, relation, relation.remote_application in rotate) for relation in relations
        }
        patient = unit.patient(context, bool(relations))
        ready = await server.run(
            context,
            {_user(number): pair.all for number, pair in pairs.items()},
            host=relay.host,
            port=relay.port,
            security=relay.security,
            patient=patient,
        )
        if not ready:
            return False
    if context.is_leader:
        for relation in relations:
            label = driver.secret_label(relation, answer.PASSWORD_ID)
            pair = pairs.get(relation.id)
            if pair:
                passwords.keep(context, label, pair)
            said = relay.of(_user(relation.id), pair.present) if pair else relay
            given = answer.answer(said, relation.endpoint)
            driver.give(context, relation, given)
            if pair and not given.secrets:
                context.set_secret(label, {"password": pair.present})  # legacy: we remember it, nobody is granted it
    return True


def _passwords(context: Context, relation: Relation, change: bool) -> passwords.Passwords:
    """Return the passwords of the relation's user of the catcher."""
    told = relation.local_app() if context.is_leader else dict[str, str]()
    if told and told.get("user") != _user(relation.id):
        # Its secret has the password of the operator's host, which is one for all.
        return passwords.Passwords(driver.new_password())
    return passwords.read(context, driver.secret_label(relation, answer.PASSWORD_ID), change=change)


def _user(relation: int) -> str:
    return f"relation-{relation}"


SERVICE = SmtpIntegrator()
