"""Where each variable of the application comes from."""

from nuages.charm import interfaces, options, secret_key
from nuages.charm.decide import variables_of
from nuages.charm.facts import Facts
from nuages.charm.variables import MASK


def explain(facts: Facts) -> list[dict[str, str]]:
    """Return the variables, sorted by name: `name`, `value` (hidden when it is a secret), `origin`."""
    settings = options.read(facts)
    key = secret_key.decide(facts, settings.secret_key)
    found = tuple(interfaces.integrations(facts))
    return [
        {
            "name": variable.name,
            "value": MASK if variable.secret else variable.value,
            "origin": variable.origin,
        }
        for variable in variables_of(facts, settings, found, key.variables)
    ]
