"""How the store is spoken to: by plain HTTP or by TLS, and how it changes from one to the other. Pure.

After a change what was said before stays good until every unit of the requirers has heard the new: the store goes on
at the earlier address, or with the earlier authority's certificate, for as long as an earlier password would serve.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from nuages.services.passwords import GRACE

PLAIN = ""
"""In place of an authority: there is none, and no TLS."""


@dataclass(frozen=True)
class Transport:
    """What requirers are told, and what they were told before."""

    authority: str = PLAIN
    """The certificate (PEM) of the authority by which the store's is verified."""
    earlier: tuple[str, ...] = ()
    """The authorities before it that are still good, `PLAIN` among them where it was without TLS."""
    until: float = 0.0
    """When those before are no longer (seconds since 1970)."""
    loaded: str = ""
    """A digest of the certificate that the server was told to load last."""
    signer: str = ""
    """The authority that has signed that one."""

    @property
    def tls(self) -> bool:
        """Whether requirers are to use TLS."""
        return self.authority != PLAIN

    @property
    def plain(self) -> bool:
        """Whether plain HTTP is served."""
        return PLAIN in (self.authority, *self.earlier)

    @property
    def secure(self) -> bool:
        """Whether TLS is served."""
        return any((self.authority, *self.earlier))

    @property
    def chain(self) -> tuple[str, ...]:
        """Return the authorities to trust: with those before, whose certificate the store may still have."""
        return tuple(filter(None, (self.authority, *self.earlier))) if self.tls else ()

    @property
    def trusted(self) -> tuple[str, ...]:
        """Return the authorities that one in the pod trusts, who has to be heard before a new certificate is loaded."""
        return tuple(dict.fromkeys((*self.chain, self.signer))) if self.signer else self.chain

    @property
    def settled(self) -> bool:
        """Whether a new certificate may be loaded: all trust the authority that has signed it."""
        return self.tls and not any(self.earlier)

    def then(self, authority: str, now: float, *, told: bool) -> Transport:
        """Return what holds from `now` on with this authority; `told`: somebody has heard what holds so far."""
        if authority != self.authority:
            earlier = tuple(one for one in (self.authority, *self.earlier) if one != authority) if told else ()
            return replace(self, authority=authority, earlier=earlier, until=now + GRACE if told else 0.0)
        if self.earlier and self.until <= now:
            return replace(self, earlier=(), until=0.0)
        return self

    def text(self) -> str:
        """Return it as it is kept."""
        return json.dumps(asdict(self))


def parse(text: str) -> Transport:
    """Return what `text` gave; with "", what holds at first."""
    if not text:
        return Transport()
    found: dict[str, Any] = json.loads(text)
    found["earlier"] = tuple(found["earlier"])
    return Transport(**found)
