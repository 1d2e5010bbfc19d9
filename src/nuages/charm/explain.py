"""Where each variable of the application comes from, and what changes it: what `./explain` prints."""

from nuages.charm import interfaces, options, secret_key, services
from nuages.charm.decide import variables_of
from nuages.charm.facts import Facts, Workload
from nuages.charm.variables import MASK
from nuages.contract import layout

ROCK = "the rock"
SERVICE = "the charm, for the service itself"


def explain(facts: Facts) -> dict[str, dict[str, str | bool]]:
    """Return the web service's variables by name, sorted: `value` (hidden if secret), `origin`, `change`, `secret`.

    `change` is the command that changes the variable, in Juju's words; "" when only another rock or charm does.
    """
    settings = options.read(facts)
    key = secret_key.decide(facts, settings.secret_key)
    found = tuple(interfaces.integrations(facts))
    rows: dict[str, dict[str, str | bool]] = {}
    if isinstance(facts.workload, Workload):
        web = facts.workload.original.get(layout.WEB_SERVICE, {})
        service = {"HOME": services.home(facts.workload.original, web), layout.WEB_SERVER_VARIABLE: "1"}
        rows = {
            **{name: _row(value, SERVICE) for name, value in service.items()},
            **{name: _row(value, ROCK) for name, value in services.environment_of(web).items()},
        }
    for variable in variables_of(facts, settings, found, key.variables):
        row = _row(MASK if variable.secret else variable.value, variable.origin, change(facts, variable.origin))
        rows[variable.name] = {**row, "secret": variable.secret}
    return dict(sorted(rows.items()))


def _row(value: str, origin: str, change: str = "") -> dict[str, str | bool]:
    return {"value": value, "origin": origin, "change": change, "secret": False}


def change(facts: Facts, origin: str) -> str:
    """Return the command that changes what has this origin."""
    origin = origin.partition(" (alias of ")[0]
    if origin == secret_key.ORIGIN:
        return f"juju run {facts.app}/leader rotate-secret-key"
    kind, _, rest = origin.partition(" ")
    name = rest.partition(" ")[0]
    if kind == "option":
        return f"juju config {facts.app} {name}=VALUE"
    if origin.startswith("model option "):
        return f"juju model-config {origin.removeprefix('model option ')}=VALUE"
    if kind == "integration":
        remote = next((relation.app for relation in facts.relations if relation.endpoint == name), "")
        return f"juju remove-relation {facts.app}:{name} {remote}" if remote else ""
    return ""
