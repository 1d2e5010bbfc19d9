"""A server's certificate from the interface tls-certificates: its key is made in the pod and never leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ops.pebble

from nuages.engine.service import Context
from nuages.services import driver
from nuages.services.certificates import answer

ENDPOINT = "certificates"
INTERFACE = "tls-certificates"
METADATA = {ENDPOINT: {"interface": INTERFACE, "limit": 1, "optional": True}}
"""What goes into `requires`."""
FILE = "files/tls.sh"
SCRIPT = "/opt/nuages/tls.sh"
"""What the image of a server needs, and where."""


@dataclass(frozen=True)
class Tls:
    """A certificate in force with its chain, and the authority's (PEM); its folder has `key.pem`."""

    chain: str
    authority: str


async def certificate(context: Context, directory: str, names: Sequence[str]) -> Tls | None:
    """Ask for a certificate with these names, and put what was answered into `directory`; None while there is none.

    Names are DNS names and addresses of IPv4. Without a relation there is none, and what is there is removed.

    Raises:
        Refused: openssl cannot be had.
        NotReachable: Pebble does not answer.
    """
    relations = context.relations(ENDPOINT)
    if not relations:
        await driver.with_pebble(context, lambda client: _remove(client, directory))
        return None
    relation = relations[0]

    def request(client: ops.pebble.Client) -> str:
        client.make_dir(directory, make_parents=True, permissions=0o700, user=driver.USER, group=driver.USER)
        try:
            return driver.run(client, ["/bin/sh", SCRIPT, directory, *names]).strip()
        except driver.CommandFailed as error:
            raise driver.Refused((error.stderr.strip().splitlines() or ["openssl failed"])[-1]) from None

    csr = await driver.with_pebble(context, request)
    asked = answer.ask(csr)
    if dict(relation.local_unit()).get(answer.REQUESTS) != asked[answer.REQUESTS]:
        relation.set_unit(asked)
    found = answer.answered(relation.remote_app()).get(csr)
    if found is None:
        return None

    chain = f"{found.certificate}\n{found.authority}\n"
    await driver.with_pebble(context, lambda client: driver.push(client, f"{directory}/certificate.pem", chain))
    return Tls(chain, found.authority)


def _remove(client: ops.pebble.Client, directory: str) -> None:
    try:
        client.remove_path(directory, recursive=True)
    except ops.pebble.PathError:
        return  # there is none
