"""prometheus-k8s, built in: a real Prometheus that scrapes every related unit and evaluates their alert rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nuages.engine.sandbox.image import Image
from nuages.engine.service import Console, Context, Relation
from nuages.services import driver, unit
from nuages.services.prometheus import answer, checks, server
from nuages.services.prometheus.answer import Scraped

_SECRET = "login"  # noqa: S105  # a label
_DURATION = re.compile(r"(?=\d)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?")
"""Prometheus' own rule: the longer unit first."""
_SIZE = re.compile(r"\d+(?:B|KB|MB|GB|TB|PB|EB)")
_LEVELS = ("debug", "info", "warn", "error")


class Prometheus:
    """The application as the engine sees it."""

    name = "prometheus-k8s"
    summary = "Prometheus: scrapes every unit, evaluates the charms' alert rules"
    version = server.VERSION
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "Real Prometheus on one unit; speaks what Charmhub's prometheus-k8s speaks.",
        "containers": {server.CONTAINER: {}},
        "requires": {answer.ENDPOINT: {"interface": "prometheus_scrape"}},
    }
    options: Mapping[str, Any] = {
        "log_level": {"type": "string", "default": "info", "description": "`debug`, `info`, `warn` or `error`."},
        "evaluation_interval": {
            "type": "string",
            "default": "1m",
            "description": "How often alert rules are evaluated.",
        },
        "scrape_interval": {
            "type": "string",
            "default": "15s",
            "description": "How often jobs are scraped that do not say it themselves. Only here; in production 1m.",
        },
        "metrics_retention_time": {
            "type": "string",
            "default": "15d",
            "description": "How long measurements are kept.",
        },
        "maximum_retention_size": {
            "type": "string",
            "default": "1GB",
            "description": "How much disk they may take, `512MB` for example; here no percentage.",
        },
    }
    actions: Mapping[str, Any] = {
        "show-page": {
            "description": (
                "Open Prometheus' page and API on a port of this machine's loopback, and show its address, user and "
                "password. Only here."
            )
        },
        "rotate-password": {
            "description": "Give the page and the API a new password, in force at once. Only here.",
        },
        "validate-configuration": {"description": "Let promtool check the configuration."},
    }
    programs = ("prometheus",)
    volumes: Mapping[str, str] = {"database": server.DATA}
    aliases: tuple[str, ...] = ()

    def image(self, programs: Mapping[str, Path], directory: Path) -> Image:
        """Return the container's image."""
        return server.image(programs, directory)

    async def hook(self, context: Context) -> None:
        """Run the server with what is to be scraped, tell requirers what is wrong, and say how things are."""

        async def serve() -> tuple[str, str]:
            ready, problem = await _serve(context)
            return unit.status(problem) if ready else ("waiting", driver.WAITING)

        await unit.hook(context, serve, leader_only=True)

    async def action(self, context: Context, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one of `actions`."""
        if name == "validate-configuration":
            valid, said = await server.validate(context)
            return {"valid": str(valid), "result": said}
        if name == "rotate-password":
            await _serve(context, rotate=True)
            return {"changed": server.USER}
        who = await _login(context)
        port = await context.publish("page", server.PORT, preferred=server.PORT)
        return {"url": f"http://localhost:{port}/", "username": server.USER, "password": who.password}

    def console(self, context: Context, relation: Relation) -> Console:
        """Return the page's address with its login; Prometheus has no client of its own to talk with."""
        kept = context.secret(_SECRET)
        if kept is None:
            raise driver.ServiceError(
                f"cannot connect to {context.application}: it has no password yet", fix="nuages status"
            )
        return Console(f"http://{server.USER}:{quote(kept['password'])}@{{address}}/", server.PORT)


async def _login(context: Context, *, rotate: bool = False) -> server.Login:
    kept = context.secret(_SECRET)
    if kept and not rotate:
        return server.Login(kept["password"], kept["hash"])
    made = await server.login(context, driver.new_password())
    context.set_secret(_SECRET, {"username": server.USER, "password": made.password, "hash": made.hash})
    return made


async def _serve(context: Context, *, rotate: bool = False) -> tuple[bool, str]:
    """Scrape what all relations want and tell them what was refused; return whether it is ready, and a problem."""
    settings = _settings(context.config)
    relations = context.relations(answer.ENDPOINT)
    wanted: dict[int, Scraped] = {}
    wrong: dict[int, str] = {}
    for relation in relations:
        units = {unit: relation.remote_unit(unit) for unit in relation.remote_units}
        try:
            found = answer.parse(relation.remote_application, relation.remote_app(), units)
        except driver.Refused as error:
            wrong[relation.id] = str(error)
            continue
        if found:
            wanted[relation.id] = found
    who = await _login(context, rotate=rotate)
    patient = unit.patient(context, bool(relations))
    told = answer.distinct(wanted.values())
    ready, refused = await server.run(context, settings, who, told, patient=patient)
    for relation in relations:
        driver.give(context, relation, answer.answer(_errors(relation, wrong, refused)))
    problems = [*wrong.values(), *(problem.text for problem in refused)]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return ready, problems[0] + more if problems else ""


def _errors(relation: Relation, wrong: Mapping[int, str], refused: list[checks.Problem]) -> list[str]:
    own = [problem for problem in refused if problem.application == relation.remote_application]
    said = [f"{problem.what}: {problem.reason}" for problem in own]
    return [wrong[relation.id], *said] if relation.id in wrong else said


def _settings(config: Mapping[str, Any]) -> server.Settings:
    """Return what the options say.

    Raises:
        Refused: one of them cannot be.
    """
    values = {key: str(config.get(key) or Prometheus.options[key]["default"]) for key in Prometheus.options}
    for key in ("evaluation_interval", "scrape_interval", "metrics_retention_time"):
        if not _DURATION.fullmatch(values[key]):
            raise driver.Refused(f"{key} is {values[key]!r}: set it to a time, as 15s, 1m or 1h30m")
    if not _SIZE.fullmatch(values["maximum_retention_size"]):
        raise driver.Refused(
            f"maximum_retention_size is {values['maximum_retention_size']!r}: set it to a size, as 512MB or 1GB"
        )
    if values["log_level"] not in _LEVELS:
        raise driver.Refused(f"log_level is {values['log_level']!r}: set it to {', '.join(_LEVELS[:-1])} or error")
    return server.Settings(
        values["scrape_interval"],
        values["evaluation_interval"],
        values["metrics_retention_time"],
        values["maximum_retention_size"],
        values["log_level"],
    )


SERVICE = Prometheus()
