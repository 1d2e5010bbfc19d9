"""The variables that settings are evaluated with are those that the charm sets."""

import json
import re
from pathlib import Path

import pytest

from nuages.build.probe_variables import HOST, variables
from nuages.contract.endpoints import BY_NAME
from nuages.extension.contribution import dynamic_options
from nuages.extension.load import load

PAGE = Path(__file__).parents[2] / "docs/reference/variables.md"
"""Made from the charm's own code, and held to it by tests/docs."""

SECTIONS = {
    match[2]: (match[1], set(re.findall(r"^\| `(\w+)` ", section, re.MULTILINE)))
    for section in re.split(r"^(?=## )", PAGE.read_text(), flags=re.MULTILINE)
    if (match := re.match(r"## With `([\w-]+)` \(`(\w+)`", section))
}
SOMETIMES = re.compile(
    r"_(TLS|TLS_CA|READ_ONLY_\w+|PATH|STORAGE_CLASS|URI_STYLE|ADDRESSING_STYLE|"
    r"ATTRIBUTES|TLS_CA_CHAIN|API_VERSION|PASSWORD_ID|SENDER|USERNAME|PASSWORD)$"
)
"""Variables that only some providers give."""


def asked(text):
    return variables(load(text, "charmcraft.yaml"), "the key")


ALWAYS = asked("name: a\n").environment


@pytest.mark.parametrize("interface", SECTIONS)
def test_they_have_the_charms_names(interface):
    endpoint, names = SECTIONS[interface]
    requires = {endpoint: {"interface": interface}}
    found = set(asked("requires:\n  " + json.dumps(requires)[1:-1] + "\n").environment) - set(ALWAYS)
    found -= {"DJANGO_" + name.upper().replace("-", "_") for name in dynamic_options(requires)}
    assert found, interface
    assert found <= names
    assert {name for name in names - found if not SOMETIMES.search(name)} == set()


def test_each_interface_with_variables_is_known():
    assert {name for name, interface in BY_NAME.items() if interface.prefix} <= set(SECTIONS)


def test_what_the_charm_always_sets():
    assert json.loads(ALWAYS["DJANGO_ALLOWED_HOSTS"]) == [HOST]
    assert ALWAYS["DJANGO_DEBUG"] == "false"
    assert ALWAYS["DJANGO_SECRET_KEY"] == "the key"


def test_options_and_the_database():
    found = asked(
        "config:\n  options:\n    a: {type: int, default: 5}\n    b: {type: boolean, default: true}\n"
        "    c: {type: string}\n    d: {type: string, optional: false}\n"
        "requires:\n  reports: {interface: mysql_client}\n  oidc: {interface: oauth}\n"
    )
    shown = {name: value for name, value in found.environment.items() if name not in ALWAYS and "OIDC" not in name}
    assert {name: shown[name] for name in ("DJANGO_A", "DJANGO_B", "DJANGO_D")} == {
        "DJANGO_A": "5", "DJANGO_B": "true", "DJANGO_D": "given",
    }  # fmt: skip
    assert "DJANGO_C" not in found.environment
    assert found.environment["DJANGO_OIDC_SCOPES"] == "openid profile email"
    assert found.endpoint == "reports"
    assert found.environment["REPORTS_DB_HOSTNAME"] == found.database["host"]


def test_second_names_that_the_charm_gives():
    document = load("requires:\n  postgresql: {interface: postgresql_client}\n", "charmcraft.yaml")
    source = 'class A:\n    aliases = {"DATABASE_URL": "POSTGRESQL_DB_CONNECT_STRING", "CACHE_URL": "REDIS_URL"}\n'
    found = variables(document, "the key", source).environment
    assert found["DATABASE_URL"] == found["POSTGRESQL_DB_CONNECT_STRING"]
    assert "CACHE_URL" not in found
    assert "DATABASE_URL" not in variables(document, "the key", "class:").environment
