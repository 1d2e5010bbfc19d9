"""Which endpoints an `integrate` means: Juju's rules, in Juju's words."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nuages.engine.charm import Endpoint
from nuages.engine.config import closest
from nuages.engine.errors import EngineError, NotFound
from nuages.engine.state import Application, Model, Relation, Side

IMPLICIT = Endpoint("juju-info", "provider", "juju-info")
OPPOSITE = {"provider": "requirer", "requirer": "provider"}
Pair = tuple[Side, Side]


class IntegrateError(EngineError):
    """Two applications that cannot be related as asked."""

    code = "integrate"


def resolve(model: Model, texts: tuple[str, str], offered: Collection[str] = ()) -> Pair:
    """Return the two sides that `application[:endpoint]` twice means.

    Args:
        model: where the applications are.
        texts: the two.
        offered: the built-in applications that could be deployed, for the mend of a name that is not there.

    Raises:
        IntegrateError: none or several fit, they are related already, an endpoint's limit is reached, or one of the
            applications is being removed.
        NotFound: no such application or endpoint.
    """
    (one, one_name), (two, two_name) = (parse(model, text, offered) for text in texts)
    for application in (one, two):
        if application.life != "alive":
            raise IntegrateError(
                f"cannot integrate {one.name} and {two.name}: {application.name} is being removed",
                fix="wait until `nuages status` does not show it any more, and deploy it again",
            )
    pairs = candidates(one, one_name, two, two_name)
    names = f"{one.name} and {two.name}"
    if not pairs:
        raise IntegrateError(
            f"cannot integrate {names}: no relations found", fix=_offer(one, two), code="no-relations-found"
        )
    if len(pairs) > 1:
        listed = "; ".join(f'"{_named(pair)}"' for pair in pairs)
        raise IntegrateError(
            f'cannot integrate {names}: ambiguous relation: "{texts[0]} {texts[1]}" could refer to {listed}',
            fix=f"name the endpoints, for example nuages integrate {_named(pairs[0])}",
        )
    for relation in model.relations.values():
        if set(relation.sides) == set(pairs[0]):
            if relation.life != "alive":
                raise IntegrateError(
                    f'cannot add relation "{relation.key}": it is dying, but not yet removed',
                    fix="try again in a while",
                )
            raise IntegrateError(
                f'cannot add relation "{relation.key}": relation already exists', code="relation-exists"
            )
    for side in pairs[0]:
        _check_limit(model, side)
    return pairs[0]


def find(model: Model, texts: tuple[str, str]) -> Relation:
    """Return the existing relation that the two texts mean.

    Raises:
        NotFound: there is none.
        IntegrateError: several fit.
    """
    (one, one_name), (two, two_name) = parse(model, texts[0]), parse(model, texts[1])
    found: list[Relation] = []
    for relation in model.relations.values():
        first, second = relation.side(one.name), relation.side(two.name)
        if relation.peer or first is None or second is None or first == second:
            continue
        if one_name in ("", first.endpoint) and two_name in ("", second.endpoint):
            found.append(relation)
    if not found:
        raise NotFound(f"cannot remove the relation: {texts[0]} and {texts[1]} are not related")
    if len(found) > 1:
        listed = "; ".join(f'"{relation.key}"' for relation in found)
        raise IntegrateError(
            f'cannot remove the relation: ambiguous relation: "{texts[0]} {texts[1]}" could refer to {listed}',
            fix=f"name the endpoints, for example nuages remove-relation {found[0].key}",
        )
    return found[0]


def parse(model: Model, text: str, offered: Collection[str] = ()) -> tuple[Application, str]:
    """Return the application and the endpoint's name ("" when not given).

    Raises:
        NotFound: the model has no such application, or it has no such endpoint.
    """
    name, _, endpoint = text.partition(":")
    application = model.applications.get(name)
    if application is None:
        raise _missing(model, name, offered)
    if endpoint and endpoint not in {**application.charm.endpoints, IMPLICIT.name: IMPLICIT}:
        offered = ", ".join(sorted(application.charm.endpoints)) or "none"
        raise NotFound(f'application "{name}" has no "{endpoint}" relation', fix=f"endpoints of {name}: {offered}")
    return application, endpoint


def _missing(model: Model, name: str, offered: Collection[str]) -> NotFound:
    """Return the error for a name that no application has: a built-in one can be deployed, a typo be corrected."""
    said = f'application "{name}" not found'
    deployed = sorted(key for key, found in model.applications.items() if found.charm.built_in)
    if name in offered:
        named = [key for key in deployed if model.applications[key].charm.name == name]
        if named:
            return NotFound(f"{said}: it is deployed as {' and as '.join(named)}", fix=f"say {named[0]} instead")
        return NotFound(f"{said}: it is built in, but not deployed", fix=f"nuages deploy {name}, then the same again")
    there = ", ".join(model.applications) or "none"
    close = closest(name, (*model.applications, *offered))
    if not close or close in model.applications:
        return NotFound(said + (f", did you mean {close!r}?" if close else ""), fix=f"applications: {there}")
    return NotFound(
        f"{said}, did you mean the built-in {close!r}?",
        fix=f"nuages deploy {close}, then the same again with this name; applications that are there: {there}",
    )


def candidates(one: Application, one_name: str, two: Application, two_name: str) -> list[Pair]:
    """Return every pair that fits: different applications, one interface, provider and requirer."""
    if one.name == two.name:
        return []
    pairs = [
        (_side(one, first), _side(two, second))
        for first in _endpoints(one, one_name)
        for second in _endpoints(two, two_name)
        if first.interface == second.interface
        and OPPOSITE.get(first.role) == second.role
        and "container" not in (first.scope, second.scope)
    ]
    explicit = [pair for pair in pairs if IMPLICIT.name not in (pair[0].endpoint, pair[1].endpoint)]
    return explicit if explicit and len(pairs) > 1 else pairs


def _endpoints(application: Application, name: str) -> list[Endpoint]:
    known: Mapping[str, Endpoint] = {**application.charm.endpoints, IMPLICIT.name: IMPLICIT}
    return [known[name]] if name else [known[key] for key in sorted(known)]


def _side(application: Application, endpoint: Endpoint) -> Side:
    return Side(application.name, endpoint.name, endpoint.role, endpoint.interface)


def _check_limit(model: Model, side: Side) -> None:
    endpoint = model.applications[side.application].charm.endpoints.get(side.endpoint, IMPLICIT)
    existing = sum(1 for relation in model.relations.values() if side in relation.sides)
    if endpoint.limit and existing >= endpoint.limit:
        other = next(
            relation.other(side.application) for relation in model.relations.values() if side in relation.sides
        )
        ends = f"{side.application}:{side.endpoint} {other.application}:{other.endpoint}"
        raise IntegrateError(
            f"establishing a new relation for {side.application}:{side.endpoint} would exceed "
            f"its maximum relation limit of {endpoint.limit}",
            fix=f"remove the relation with {other.application} first: nuages remove-relation {ends}",
            code="quota-limit-exceeded",
        )


def _named(pair: Pair) -> str:
    return " ".join(f"{side.application}:{side.endpoint}" for side in pair)


def _offer(one: Application, two: Application) -> str:
    """Return the lines that the charm lacks for a built-in application, else what each of the two has."""
    for charmed, server in ((one, two), (two, one)):
        offered = next((item for item in server.charm.endpoints.values() if item.role == "provider"), None)
        if offered is not None and server.charm.built_in and not charmed.charm.built_in:
            name = offered.interface.removesuffix("_client").replace("_", "-")
            return (
                f"add `{name}: {{interface: {offered.interface}, optional: true, limit: 1}}` below `requires:` in"
                f" {charmed.name}'s charmcraft.yaml, then nuages up, then nuages integrate {one.name} {two.name}"
            )

    def shown(application: Application) -> str:
        parts = [
            f"{endpoint.name} ({endpoint.role} of {endpoint.interface})"
            for endpoint in application.charm.endpoints.values()
            if endpoint.role != "peer"
        ]
        return f"{application.name} has {', '.join(parts) or 'no endpoint'}"

    return f"{shown(one)}; {shown(two)}"
