"""reference/variables.md: the variables that a Django application gets, when, and what they look like."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from docs.writers.markdown import code, listed, page, table
from nuages.charm import environment, options, secret_key
from nuages.charm.facts import Facts, Peer, Relation
from nuages.charm.interfaces import BY_NAME, REGISTRY, Interface, NotReady
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
DIRECTORY = Path(__file__).parents[2] / "tests" / "charm" / "interfaces" / "examples"


def _documents() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for path in sorted(DIRECTORY.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        found.setdefault(document["interface"], []).append(document)
    return found


SETTINGS = options.read(BARE)
URL = "http://localhost:8000/"

EXAMPLES: Mapping[str, tuple[Relation, ...]] = {
    name: tuple(
        Relation(
            found["endpoint"], name, 7, BY_NAME[name].provider, found["app"], found["units"], found["secrets"], BARE.app
        )
        for found in documents
    )
    for name, documents in _documents().items()
}
"""By interface that the charm speaks: what its providers answer, as the tests of the charm have it."""


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
            "## HOME\n\n`HOME` is `/tmp/django/home`, a folder that the services' user can write to, unless the rock's "
            "service sets another one. It is the container's: what is in it goes with the container. Celery's beat "
            "writes its schedule where it is started, which it cannot there: set `beat_schedule_filename` to "
            '`os.path.expanduser("~/celerybeat-schedule")`.',
            *(text for interface in REGISTRY if (text := _integration(interface))),
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


def _key_options() -> str:
    names = dict.fromkeys(
        name for base in BASES for name in (base.secret_key_option, base.secret_key_id_option) if name
    )
    return listed(code(name) for name in names)


def example(interface: Interface, endpoint: str) -> tuple[Variable, ...]:
    """Return all variables that an endpoint of this interface may set, with the values of what providers answer.

    Those of the answer with most to say come first.
    """
    usual = endpoints.BY_NAME[interface.name].endpoint
    found: list[tuple[Variable, ...]] = []
    for relation in EXAMPLES[interface.name]:
        named = relation._replace(endpoint=endpoint)
        facts = replace(BARE, relations=(named, *EXAMPLES["ingress"]))
        value = interface.settle(facts, named, interface.parse(named))
        assert not isinstance(value, NotReady), f"{interface.name}: an example is not complete: {value.reason}"
        if relation.endpoint == usual or not usual:
            found.append(value.variables)
    variables = {variable.name: variable for each in sorted(found, key=len) for variable in each}
    order = [variable.name for each in sorted(found, key=len, reverse=True) for variable in each]
    return tuple(variables[name] for name in dict.fromkeys(order))


def _integration(interface: Interface) -> str:
    known = endpoints.BY_NAME[interface.name]
    endpoint = known.endpoint or "oidc"
    variables = example(interface, endpoint)
    if not variables:
        return ""
    text = (
        f"## With {code(endpoint)} ({code(interface.name)}, for instance from {interface.provider})\n\n"
        + table(("variable", "example", "from"), map(_row, variables))
        + f"\n\n{NOTES.get(interface.name, '')}"
    ).rstrip()
    renamed = example(interface, "archive")
    if renamed == variables or {variable.name for variable in renamed} == {variable.name for variable in variables}:
        return text
    return text + (
        f"\n\nOn an endpoint of another name the prefix is that name: {code('archive')} gives "
        f"{code(renamed[0].name)} and so on."
    )


URL_NOTE = (
    "`PARAMS`, `QUERY` and `FRAGMENT` are those of the URL, mostly empty; user and password are as they stand in it."
)
DATABASE_NOTE = (
    URL_NOTE + " With several hosts, `HOSTNAME` and `PORT` are the first one's. `TLS`, `TLS_CA` and `READ_ONLY_…` are"
    " there when the provider speaks of them. With TLS the connect string has the driver check the server's certificate"
    " against the authority in the file that `TLS_CA` names, but not the host in it: certificates that charms make"
    " seldom name the service that one connects to."
)
NOTES: Mapping[str, str] = {
    "postgresql_client": DATABASE_NOTE,
    "mysql_client": DATABASE_NOTE
    + " `ssl-ca` is what `dj-database-url` understands; PyMySQL, other than mysqlclient, then checks the host as well.",
    "mongodb_client": DATABASE_NOTE,
    "redis": "The provider tells neither user nor database.",
    "valkey_client": URL_NOTE + " Mode and version come under two names, for both are documented.",
    "s3": "What the provider does not say is left out. `ATTRIBUTES` and `TLS_CA_CHAIN` are JSON lists.",
    "saml": "All four, or the application is not started; with an optional endpoint those that the provider says.",
    "smtp": "Left out is what the provider does not say, and authentication or encryption that is `none`.",
    "tracing": "The names are OpenTelemetry's, whatever the endpoint is called.",
    "openfga": "With an optional endpoint the URLs are there before the store is.",
    "oauth": (
        "The endpoint's name may be any, and there may be several. A hyphen in it stays a hyphen; as no shell can read"
        " such a variable, each then comes with an underscore too. `CLIENT_KWARGS` is JSON. `USER_URL` and"
        " `USERINFO_URL` are the same."
    ),
    "rabbitmq": URL_NOTE + " `CONNECT_STRINGS` has one URL for each unit that answers.",
    "http_proxy": "`http` and `https` then come from the integration alone; `no_proxy` stays the model's.",
}


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
