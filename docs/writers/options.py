"""reference/options.md: the options that the extension contributes, and what the user's own become."""

from __future__ import annotations

from collections.abc import Iterator

from docs.writers.markdown import code, listed, page, table
from nuages.charm import options as runtime
from nuages.charm.facts import Facts
from nuages.charm.facts import Option as Declared
from nuages.contract.bases import BASES, EXTENSION
from nuages.contract.options import (
    DROPPED_PREFIXES,
    DYNAMIC,
    HEALTH_PATH,
    RESERVED_PREFIXES,
    VHOST,
    Option,
    variable_of,
)

EXAMPLES: tuple[tuple[Declared, str | int | float | bool], ...] = (
    (Declared("greeting", "string"), "Bonjour"),
    (Declared("page-size", "int"), 20),
    (Declared("sample-rate", "float"), 0.25),
    (Declared("open-registration", "boolean"), True),
    (Declared("mail-account", "secret"), "secret:9m4e2mr0ui3e8a215n4g"),
)
"""An option of each type, declared by a user, and a value."""

MEANING = (
    (
        code(HEALTH_PATH),
        "string",
        "A path of the site, `/healthz`. Without it, the unit is ready when the web service accepts connections. With "
        "it, a request for that path every 10 seconds decides, with the public host and protocol in `Host` and "
        "`X-Forwarded-Proto`: a status from 200 to 399 is well, anything else takes the unit out of the service and "
        "says so in its status. A configuration under which a healthy site turns unhealthy is taken back. Choose a "
        "page that shows whether this unit can work; what all units fail at together takes all of them away.",
    ),
    (
        code("ENDPOINT" + VHOST),
        "string",
        "For an endpoint of interface `rabbitmq`, `rabbitmq-vhost`: the virtual host to ask the broker for. Without "
        "it, or empty, it is `/`, as the contract has it, and applications on one broker may use each other's queues. "
        "It is in `RABBITMQ_VHOST` and the URLs. Messages stay where they are when it changes.",
    ),
    (
        code("settings-module"),
        "string",
        "As `DJANGO_SETTINGS_MODULE` it names the settings for the web service, migrations, workers, schedulers and "
        "actions alike; `manage.py` and `wsgi.py` set that variable only where it is not set. Empty, it sets nothing.",
    ),
)
"""Options of a user's own that the charm itself reads, too: name, type, what they do."""

WORKERS = """## How many workers

Unset, `webserver-workers` leaves the number to gunicorn, which starts one worker (or as many as the service's variable
`WEB_CONCURRENCY` in rockcraft.yaml says): enough to try a site, not to serve one. Nothing is guessed from the machine,
because a pod sees all CPUs of its node, however few it may use. gunicorn's own advice is twice the CPUs that a unit may
use, plus one; with `gthread`, `gevent` or `asgi` one for each CPU, for each then answers several requests at once."""
"""What an unset option means is said, for it is felt."""

SECRET = {"user": "ann", "api-key": "..."}
"""What is in the secret of the last of them."""


def pages() -> Iterator[tuple[str, str]]:
    """Return the page."""
    yield (
        "options.md",
        page(
            "Options",
            f"What {code(EXTENSION)} contributes to {code('config.options')}, what becomes of the values, and what "
            "becomes of options that you declare yourself. Set with `nuages config APP OPTION=VALUE`, in production "
            "with `juju config APP OPTION=VALUE`.",
            *(_of_bases(names, options) for names, options in _by_options()),
            WORKERS,
            "## Contributed for an endpoint\n\n"
            + table(
                ("for each endpoint of interface", "option", "type", "default", "what it is"),
                (
                    (
                        code(interface),
                        code("ENDPOINT" + option.suffix),
                        option.type,
                        code(option.default),
                        option.description.format(variable=f"`{variable_of('endpoint' + option.suffix)}`"),
                    )
                    for interface, dynamic in DYNAMIC.items()
                    for option in dynamic
                ),
            ),
            _own(),
        ),
    )


def _by_options() -> list[tuple[list[str], tuple[Option, ...]]]:
    found: dict[tuple[Option, ...], list[str]] = {}
    for base in BASES:
        name = code(base.name) + (" (experimental)" if base.experimental else "")
        found.setdefault(base.options, []).append(name)
    return [(names, options) for options, names in found.items()]


def _of_bases(names: list[str], options: tuple[Option, ...]) -> str:
    rows = (
        (code(option.name), option.type, _default(option), becomes(option), option.description) for option in options
    )
    return f"## On {listed(names)}\n\n" + table(("option", "type", "default", "becomes", "what it is"), rows)


def _default(option: Option) -> str:
    if option.default is None:
        return "–"
    return code(runtime.text(option.default))


def becomes(option: Option) -> str:
    """Return what an option's value is turned into: a variable, or a setting of gunicorn."""
    if option.setting:
        flag = "-k" if option.setting == "worker_class" else ""
        return f"gunicorn's {code(flag)} in the service's command" if flag else f"gunicorn's {code(option.setting)}"
    encodings = {"hosts": " (a JSON list)", "boolean": " (`true` or `false`)", "secret": " (the secret's `value`)"}
    return code(option.variable) + encodings.get(option.encoding, "")


def _own() -> str:
    facts = Facts(
        event="config_changed",
        app="notes",
        unit="notes/0",
        model="dev",
        leader=True,
        container="django-app",
        peer_endpoint="secret-storage",
        options=tuple(option for option, _ in EXAMPLES),
        config={option.name: value for option, value in EXAMPLES},
        option_secrets={option.name: SECRET for option, _ in EXAMPLES if option.type == "secret"},
    )
    variables = runtime.read(facts).variables
    rows = (
        (
            code(option.name),
            option.type,
            code(runtime.text(value)),
            listed(
                code(f"{variable.name}={variable.value}")
                for variable in variables
                if variable.origin == f"option {option.name}"
            ),
        )
        for option, value in EXAMPLES
    )
    prefixes = listed(code(prefix) for prefix in (*RESERVED_PREFIXES, *DROPPED_PREFIXES))
    return (
        "## Your own\n\n"
        "Each option that you declare under `config.options` in charmcraft.yaml becomes a variable: `DJANGO_`, then "
        "the name in capitals with `_` for `-`. An option without a value becomes none. One with `optional: false` "
        "and no value holds the application back, with a status that says so.\n\n"
        + table(("option", "type", "value", "variable"), rows)
        + "\n\nOf a secret each key becomes a variable (here the secret has "
        + listed(code(key) for key in SECRET)
        + f"). Names that begin with {prefixes}, or whose variable the charm sets itself, are refused when the charm "
        "is built ([problems](problems/README.md)).\n\n"
        "Some names mean more to the charm. Declare them like any other:\n\n"
        + table(("option", "type", "what it does besides"), MEANING)
    )
