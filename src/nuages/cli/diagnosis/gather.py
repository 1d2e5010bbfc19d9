"""Observing an application: its pages, its Django, its logs, its project. Asks, and judges nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nuages.cli.diagnosis import inside, project
from nuages.cli.diagnosis.browser import Browser
from nuages.cli.diagnosis.exceptions import inner_path
from nuages.cli.diagnosis.inside import WebService
from nuages.cli.diagnosis.observations import Inside, Line, Observations, Unit, Visit
from nuages.cli.session import Session
from nuages.contract import layout
from nuages.errors import NuagesError

LINKS = 4
FILES = 6
LOGIN = "admin/login/"
NOWHERE = "nuages-asks-for-a-page-that-nobody-has"
LINES = 200
LATELY = 150.0
"""Seconds: what a service printed before was mended since, or will be said again."""


@dataclass(frozen=True)
class Target:
    """The application that is observed."""

    session: Session
    application: str
    published: str
    """The URL on this machine where ingress listens; "" when nothing does."""
    directory: Path | None = None
    """The project's, when it is known."""


def observe(target: Target, status: dict[str, Any], *, look_inside: bool = True) -> Observations:
    """Return what can be observed. `look_inside=False` asks Django itself only when a page fails."""
    application: dict[str, Any] = status["applications"][target.application]
    notes: list[str] = []
    unit = _leader(application)
    web: WebService | None = None
    try:
        web = inside.web_service(target.session, unit) if unit else None
    except NuagesError as error:
        notes.append(f"could not read the plan of {unit}: {error}")
    environment = dict(web.environment) if web else {}
    url = _public(environment.get("DJANGO_BASE_URL", ""), target.published)
    related = tuple(_related(application))
    seen = Observations(
        application=target.application,
        url=url,
        units=tuple(_units(application)),
        services=web.others if web else (),
        related=tuple(name for name, _ in related),
        endpoints=related,
        debug_option=environment.get("DJANGO_DEBUG") == "true",
    )
    browser = Browser(url, _port(target.published)) if target.published else None
    if browser is not None:
        seen = replace(seen, visits=tuple(_browse(browser)))
    answer: Inside | None = None
    failing = tuple(dict.fromkeys(inner_path(v.last.url, seen.prefix) for v in seen.visits if v.last.status >= 500))
    if web is not None and "DJANGO_BASE_URL" not in environment:
        notes.append("could not ask Django itself: the charm has not configured it yet")
    elif web is not None and (look_inside or failing or _unwell(seen)):
        try:
            answer = inside.ask(target.session, web, url, failing)
        except NuagesError as error:
            notes.append(f"could not ask Django itself: {error}")
    if browser is not None and answer is not None:
        seen = replace(seen, visits=(*seen.visits, *_health(browser, answer, environment)))
    try:
        since = inside.started(target.session, web) if web and web.others else {}
        lines = tuple(printed_lately(target, environment, unit, since))
    except NuagesError as error:
        lines = ()
        notes.append(f"could not read what {target.application} printed: {error}")
    seen = replace(seen, inside=answer, lines=lines, notes=tuple(notes))
    return project.known(seen, target.directory)


def _browse(browser: Browser) -> Iterator[Visit]:
    """Open what a visitor opens: the front page, where it leads, what it names; a login; a page that is not there."""
    front, page = browser.visit("front", "")
    yield front
    if front.last.failure or "no-route" in front.last.marks:
        return
    here = front.first.path
    forms = [(front.last.url, page.login)]
    for link in [link for link in front.links if link != here][:LINKS]:
        visit, page = browser.visit("link", link)
        forms.append((visit.last.url, page.login))
        yield visit
    for file in front.files[:FILES]:
        yield browser.visit("static", file)[0]
    visit, page = browser.visit("missing", NOWHERE)
    yield visit
    admin, page = browser.visit("link", LOGIN)
    if admin.last.status != 404:  # not every site has one
        forms.append((admin.last.url, page.login))
        yield admin
        for file in [file for file in admin.files if file not in front.files][:1]:
            yield browser.visit("static", file)[0]
    for where, form in forms:
        if form is not None:
            yield browser.submit(where, form)
            return


def _health(browser: Browser, answer: Inside, environment: dict[str, str]) -> Iterator[Visit]:
    paths = [environment.get("DJANGO_HEALTH_PATH", ""), *answer.health]
    for path in list(dict.fromkeys(path for path in paths if path))[:2]:
        yield browser.visit("health", path.lstrip("/"))[0]


def _unwell(seen: Observations) -> bool:
    """Whether something happened that Django's settings would explain."""
    return any(visit.last.status >= 400 or visit.last.failure or visit.last.location for visit in seen.visits if
               visit.role != "missing") or not seen.visits  # fmt: skip


def _leader(application: dict[str, Any]) -> str:
    units: dict[str, dict[str, Any]] = application.get("units") or {}
    return next((name for name, unit in units.items() if unit.get("leader")), next(iter(units), ""))


def _units(application: dict[str, Any]) -> Iterator[Unit]:
    units: dict[str, dict[str, Any]] = application.get("units") or {}
    for name, unit in sorted(units.items()):
        workload: dict[str, Any] = unit.get("workload-status") or {}
        yield Unit(name, str(workload.get("current", "unknown")), str(workload.get("message") or ""))


def _related(application: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each endpoint with a relation, and its interface."""
    relations: dict[str, list[dict[str, Any]]] = application.get("relations") or {}
    for endpoint, entries in sorted(relations.items()):
        yield endpoint, next((str(entry.get("interface") or "") for entry in entries), "")


def _public(told: str, published: str) -> str:
    """Return the URL with a slash at its end that the application is told, else the one on this machine."""
    return (told or published).rstrip("/") + "/"


def _port(url: str) -> int:
    return int(url.rstrip("/").rpartition(":")[2])


def printed_lately(
    target: Target, environment: Mapping[str, str], unit: str, since: Mapping[str, float]
) -> Iterator[Line]:
    """Yield what was printed lately, and since the service of that unit was started."""
    stream = target.session.client.stream(target.session.path("logs"), lines=LINES, application=target.application)
    for line in stream:
        moment = inside.seconds(str(line["time"]))  # of what is no time nobody knows whether it is long ago
        oldest = max(time.time() - LATELY, since.get(line["service"], 0.0) if line["unit"] == unit else 0.0)
        if line["service"] != layout.STATSD_SERVICE and (moment is None or moment >= oldest):
            yield Line(str(line["service"]), inside.masked(str(line["message"]).rstrip(), environment))
