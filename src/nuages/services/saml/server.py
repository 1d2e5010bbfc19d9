"""The real identity provider, and reading another one's metadata."""

from __future__ import annotations

import asyncio
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterable

import ops.pebble

from nuages.engine.service import Context
from nuages.services import driver
from nuages.services.identity import pod
from nuages.services.saml import answer

VERSION = "1.0 (signxml 5.2.0)"
DATA = "/var/lib/saml"
PROGRAM = pod.Program(
    container="saml",
    package="nuages.services.saml",
    libraries="signxml",
    files=("idp.py", "authn.py", "responses.py", "certificate.py", "metadata.py"),
    home=f"{DATA}/provider",
    port=4480,
    name="SAML identity provider",
)
_LIMIT = 10_000_000
"""Bytes of another provider's metadata."""
_TIMEOUT = 10.0


async def run(context: Context, hosts: Iterable[str], *, patient: bool) -> answer.Provider | None:
    """Have the provider run; assertions go to these hosts. Return what it says of itself, None while it starts."""
    base = await pod.address(context, PROGRAM)

    def after(client: ops.pebble.Client) -> str:
        return str(client.pull(f"{PROGRAM.home}/certificate.pem").read())

    certificate = await pod.run(
        context,
        PROGRAM,
        f"idp.py {PROGRAM.home} {base} {PROGRAM.port} {context.unit}",
        {"hosts.json": json.dumps({"hosts": sorted(hosts)}) + "\n"},
        patient=patient,
        after=after,
    )
    return answer.built_in(base, certificate) if certificate else None


async def read(context: Context, external: answer.External) -> answer.Provider:
    """Return what the metadata of the operator's provider say.

    They are fetched here, because a pod need not reach the outside; they are parsed in the pod.

    Raises:
        Refused: they cannot be fetched or used.
        NotReachable: Pebble does not answer.
    """
    try:
        text = await asyncio.to_thread(_fetch, external.metadata_url)
    except (OSError, ValueError, http.client.HTTPException) as error:
        # Of a URLError the reason alone; of an HTTPError that is half of it.
        reason = error.reason if type(error) is urllib.error.URLError else error
        raise driver.Refused(f"cannot read {external.metadata_url}: {reason}") from None

    def work(client: ops.pebble.Client) -> str:
        try:
            return pod.execute(client, ["metadata.py", external.entity_id, external.fingerprint], stdin=text)
        except driver.CommandFailed as error:
            said = error.stderr.strip().splitlines() or ["no reason given"]
            raise driver.Refused(f"cannot use the metadata at {external.metadata_url}: {said[-1]}") from None

    return answer.described(external, await driver.with_pebble(context, work))


def _fetch(url: str) -> str:
    request = urllib.request.Request(url, headers={"Accept": "application/samlmetadata+xml, */*"})  # noqa: S310  # http or https: parse() has checked
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as reply:  # noqa: S310
        data: bytes = reply.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise ValueError(f"it has more than {_LIMIT // 1_000_000} MB")
    return data.decode()
