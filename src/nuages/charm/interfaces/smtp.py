"""SMTP: how to send mail. We publish nothing."""

from nuages.charm.facts import Facts, Relation
from nuages.charm.interfaces.base import Interface, NotReady, Value, nothing
from nuages.charm.variables import Variable
from nuages.contract.endpoints import SMTP, prefix_of
from nuages.contract.row import NamedTuple

NONE = "none"
"""How the provider writes that there is no authentication or no encryption; such a variable is left out."""
AUTHENTICATION = (NONE, "not_provided", "plain")
SECURITY = (NONE, "starttls", "tls")
REQUIRED = ("host", "port", "auth_type", "transport_security")
SECRET = "password_id"  # noqa: S105  the name of a field


class Server(NamedTuple):
    """A server that takes our mail. "" is what it does not say."""

    prefix: str
    origin: str
    host: str
    port: str
    authentication: str
    security: str
    user: str = ""
    password: str = ""
    password_id: str = ""
    domain: str = ""
    skip_verification: bool = False
    sender: str = ""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """`SMTP_HOST` and so on, of what is known; truth is Python's: `True`, `False`."""
        values = {
            "HOST": self.host,
            "PORT": self.port,
            "USER": self.user,
            "PASSWORD": self.password,
            "PASSWORD_ID": self.password_id,
            "AUTH_TYPE": "" if self.authentication == NONE else self.authentication,
            "TRANSPORT_SECURITY": "" if self.security == NONE else self.security,
            "DOMAIN": self.domain,
            "SKIP_SSL_VERIFY": str(self.skip_verification),
            "SENDER": self.sender,
        }
        return tuple(
            Variable(f"{self.prefix}_{name}", text, self.origin, secret=name == "PASSWORD")
            for name, text in values.items()
            if text
        )


def parse(relation: Relation) -> Server | NotReady:
    """Read how to reach the server."""
    bag = relation.bag
    missing = [name for name in REQUIRED if not bag.get(name)]
    if missing:
        return NotReady(f"no {' and no '.join(missing)}")
    port = bag["port"]
    if not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65536):
        return NotReady("its port is no number from 1 to 65535")
    for name, known in (("auth_type", AUTHENTICATION), ("transport_security", SECURITY)):
        if bag[name] not in known:
            return NotReady(f"its {name} is none of {', '.join(known)}")
    password = bag.get("password", "")
    if bag.get(SECRET):
        content = relation.secrets.get(bag[SECRET])
        if content is None:
            return NotReady("its secret cannot be read yet")
        password = content.get("password", "")
        if not password:
            return NotReady("its secret has no password")
    return Server(
        prefix=prefix_of(SMTP, relation.endpoint),
        origin=f"integration {relation.endpoint}",
        host=bag["host"],
        port=str(int(port)),
        authentication=bag["auth_type"],
        security=bag["transport_security"],
        user=bag.get("user", ""),
        password=password,
        password_id=bag.get(SECRET, ""),
        domain=bag.get("domain", ""),
        skip_verification=bag.get("skip_ssl_verify", "").lower() == "true",
        sender=bag.get("smtp_sender", ""),
    )


def settle(facts: Facts, relation: Relation, value: Value | NotReady) -> Value | NotReady:
    """Name the command that lets us read a secret which is the operator's own: the provider cannot grant that one."""
    uri = relation.bag.get(SECRET, "")
    if isinstance(value, NotReady) and uri and uri in relation.secrets and relation.secrets[uri] is None:
        return value._replace(fix=f"juju grant-secret {uri} {facts.app}")
    return value


INTERFACE = Interface(name=SMTP.name, provider="smtp-integrator", publish=nothing, parse=parse, settle=settle)
