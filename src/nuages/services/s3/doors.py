"""Where the object store is reached: its names, its ports on this machine, and the certificate for them."""

from __future__ import annotations

import time

from nuages.engine.service import Context
from nuages.services import tls
from nuages.services.s3 import answer, server, transport
from nuages.services.s3.transport import Transport

PORT, SECURE_PORT = 9000, 9443
"""The ports that it wants: the same in the pod and on the host's loopback, so that one URL is good for both."""


def host(context: Context) -> str:
    """Return the name by which pods and browsers find it."""
    return f"{context.application}.localhost"


async def spoken(context: Context) -> Transport:
    """Return how the store is to be spoken to from now on."""
    before = await server.spoken(context)
    # Without the relation the certificate that is there stays for those who have not heard yet.
    found = await certificate(context) if context.relations(tls.ENDPOINT) else None
    told = context.is_leader and any(
        relation.local_app().get("endpoint") for relation in context.relations(answer.ENDPOINT)
    )
    return before.then(found.authority if found else transport.PLAIN, time.time(), told=told)


async def certificate(context: Context) -> tls.Tls | None:
    """Return the store's certificate; without a relation there is none, and what is left of one is removed."""
    # Programs that do not take its name for this machine use the address.
    return await tls.certificate(context, server.TLS, [host(context), "localhost", "127.0.0.1"])


async def published(context: Context, spoken: Transport) -> server.Doors:
    """Return the ports that are wanted, published."""
    return server.Doors(
        plain=await _publish(context, "store", PORT) if spoken.plain else None,
        secure=await _publish(context, "store-tls", SECURE_PORT) if spoken.secure else None,
        tls=spoken.tls,
    )


async def _publish(context: Context, key: str, preferred: int) -> int:
    """Publish a port of the store on the host's loopback and return it, which is also the one in the pod.

    Only so is a URL that the application signs good in a browser: the signature holds host and port.
    """
    port = await context.publish(key, preferred, preferred=preferred)
    return port if port == preferred else await context.publish(key, port, preferred=port)
