"""TLS as integrations tell of it: whether, and by whose certificate authority."""

import zlib

from nuages.charm.plan import File
from nuages.charm.variables import Variable
from nuages.contract import layout
from nuages.contract.row import NamedTuple


class Tls(NamedTuple):
    """What the other side says of TLS."""

    on: bool | None = None
    """None: it says nothing."""
    authority: File | None = None
    """The certificate authority's certificate, in PEM, for the container."""

    def variables(self, prefix: str, origin: str) -> tuple[Variable, ...]:
        """Return `PREFIX_TLS`, and the certificate's path in `PREFIX_TLS_CA`."""
        if self.on is None:
            return ()
        found = Variable(f"{prefix}_TLS", "true" if self.on else "false", origin)
        return (
            (found,) if self.authority is None else (found, Variable(f"{prefix}_TLS_CA", self.authority.path, origin))
        )


NO_TLS = Tls()


def read_tls(endpoint: str, enabled: str, certificate: str) -> Tls:
    """Read `tls` (`True`, `true`; Python's and JSON's spelling both occur) and `tls-ca`.

    The file's name differs with its content: a new certificate is a new path, hence a new variable, hence a reload.
    """
    word = enabled.strip().lower()
    if word not in ("true", "false"):
        return NO_TLS
    if word == "false" or "-----BEGIN CERTIFICATE-----" not in certificate:
        return Tls(word == "true")
    text = certificate.strip() + "\n"
    path = f"{layout.TLS_DIRECTORY}/{endpoint}-{zlib.crc32(text.encode(errors='replace')):08x}.pem"
    return Tls(True, File(path, text))
