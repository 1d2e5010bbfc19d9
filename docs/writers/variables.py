"""reference/variables.md: the variables that a Django application gets, when, and what they look like."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from docs.writers.markdown import code, listed, page, table
from nuages.charm import environment, options, secret_key
from nuages.charm.facts import Bag, Content, Facts, Peer, Relation
from nuages.charm.interfaces import REGISTRY, Interface, NotReady
from nuages.charm.variables import Variable
from nuages.contract import endpoints
from nuages.contract.bases import BASES
from nuages.contract.options import variable_of

BARE = Facts(
    event="config_changed",
    app="notes",
    unit="notes/0",
    model="dev",
    leader=True,
    container="django-app",
    peer_endpoint="secret-storage",
    config={"django-debug": False},
)
SETTINGS = options.read(BARE)
URL = "http://localhost:8000/"

USER = "secret:9m4e2mr0ui3e8a215n4g"
EXAMPLES: Mapping[str, tuple[Bag, Mapping[str, Content]]] = {
    "postgresql_client": (
        {
            "database": "notes",
            "endpoints": "postgresql-k8s-primary.dev.svc.cluster.local:5432",
            "secret-user": USER,
        },
        {USER: {"username": "relation_id_4", "password": "PASSWORD"}},
    ),
    "ingress": ({"ingress": json.dumps({"url": URL})}, {}),
}
"""By interface that the charm speaks: a databag as its provider writes it, with the secrets that it names."""


def pages() -> Iterator[tuple[str, str]]:
    """Return the page."""
    names = ("variable", "example", "from")
    ingress = _built(URL)
    yield (
        "variables.md",
        page(
            "Variables",
            "What your settings find in `os.environ`: in the web service, in services whose names end in `-worker` or "
            "`-scheduler`, in migrations, and in `create-superuser`. `nuages env APP --explain` shows the real ones. "
            f"The examples are of an application {code(BARE.app)} in a model {code(BARE.model)}.",
            "## Always\n\n" + table(names, map(_row, _built(""))),
            'A value that is a list is JSON: `json.loads(os.environ["DJANGO_ALLOWED_HOSTS"])`. An option of your own '
            f"named `csrf-trusted-origins` wins over the built-in {code(variable_of('csrf-trusted-origins'))}.",
            "## With ingress\n\n"
            + table(names, (_row(variable) for variable in ingress if variable not in _built(""))),
            "## The secret key\n\n"
            + table(names, map(_row, secret_key.variables({"value": "KEY", "previous": "OLD KEY"}))),
            "The second one only after a rotation: put it into `SECRET_KEY_FALLBACKS`, and nobody is logged out. With "
            f"an option set ({_key_options()}) the key is that option's, and there are no fallbacks.",
            "## With more than one unit\n\n" + table(names, map(_row, _peers())),
            "## With proxies in the model's configuration\n\n" + table(names, map(_row, _proxies())),
            "## Your own options\n\n`DJANGO_` and the option's name in capitals: see [options](options.md).",
            *(_integration(interface) for interface in REGISTRY if _prefixed(interface)),
            _later(),
        ),
    )


def _row(variable: Variable) -> tuple[str, str, str]:
    return code(variable.name), code(variable.value), variable.origin + (" (secret)" if variable.secret else "")


def _built(url: str) -> tuple[Variable, ...]:
    return environment.build(BARE, SETTINGS, url, (), ())


def _added(facts: Facts) -> list[Variable]:
    bare = _built("")
    return [variable for variable in environment.build(facts, SETTINGS, "", (), ()) if variable not in bare]


def _peers() -> list[Variable]:
    return _added(replace(BARE, peer=Peer(0, {}, {"notes/1": {}, "notes/2": {}})))


def _proxies() -> list[Variable]:
    return _added(
        replace(BARE, proxies={"http": "http://proxy:3128", "https": "http://proxy:3128", "no": "10.0.0.0/8"})
    )


def _prefixed(interface: Interface) -> str:
    return endpoints.BY_NAME[interface.name].prefix


def _key_options() -> str:
    names = dict.fromkeys(
        name for base in BASES for name in (base.secret_key_option, base.secret_key_id_option) if name
    )
    return listed(code(name) for name in names)


def example(interface: Interface, endpoint: str) -> tuple[Variable, ...]:
    """Return the variables of an endpoint of this interface, from the example of what a provider answers."""
    bag, secrets = EXAMPLES[interface.name]
    value = interface.parse(Relation(endpoint, interface.name, 4, interface.provider, bag, {}, secrets))
    assert not isinstance(value, NotReady), f"{interface.name}: the example databag is not complete: {value.reason}"
    return value.variables


def _integration(interface: Interface) -> str:
    known = endpoints.BY_NAME[interface.name]
    return (
        f"## With {code(known.endpoint)} ({code(interface.name)}, for instance from {interface.provider})\n\n"
        + table(("variable", "example", "from"), map(_row, example(interface, known.endpoint)))
        + f"\n\nOn an endpoint of another name the prefix is that name: {code('archive')} gives "
        + code(example(interface, "archive")[0].name)
        + " and so on. `PARAMS`, `QUERY` and `FRAGMENT` are those of the URL, mostly empty."
    )


def _later() -> str:
    built = {interface.name for interface in REGISTRY}
    missing = [
        interface for interface in endpoints.INTERFACES if interface.name not in built and interface.role == "requires"
    ]
    if not missing:
        return ""
    return (
        "## Not yet\n\nThe charm of this version does not read these interfaces yet: "
        + listed(code(interface.name) for interface in missing)
        + "."
    )
