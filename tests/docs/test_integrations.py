"""docs/how-to/integrations.md names each interface with its endpoint, who serves it here, and its variables."""

from nuages.contract.endpoints import INTERFACES, TRACING, prefix_of
from nuages.services import PROVIDES
from tests.docs import pages

PAGE = (pages.DOCS / "how-to" / "integrations.md").read_text(encoding="utf-8")
ROWS = [line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("| ")][2:]


def test_each_built_in_application_has_a_row_with_its_interface():
    for application, offered in PROVIDES.items():
        rows = [row for row in ROWS if f"`{application}`" in row[2]]
        if application == "self-signed-certificates":  # serves traefik, not the project
            assert not rows
            continue
        (row,) = rows
        for interface in offered.values():
            assert f": `{interface}`" in row[1] or "there already" in row[1], row


def test_endpoints_and_variables_are_those_of_the_contract():
    for interface in INTERFACES:
        rows = [row for row in ROWS if f": `{interface.name}`" in row[1]]
        if interface.role != "requires" or interface.contributed or interface is TRACING:
            assert not rows
            continue
        (row,) = rows
        if interface.endpoint:
            assert f"`{interface.endpoint}`" in row[1]
        if interface.prefix:
            assert f"`{prefix_of(interface, interface.endpoint)}_`" in row[3]
