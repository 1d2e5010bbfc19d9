"""SAML: where users sign in. We publish nothing; the provider describes itself to whoever joins."""

from nuages.charm import urls
from nuages.charm.facts import Relation
from nuages.charm.interfaces.base import Interface, NotReady, nothing
from nuages.charm.variables import Variable
from nuages.contract.endpoints import SAML, prefix_of
from nuages.contract.row import NamedTuple

SIGN_ON = "single_sign_on_service"
METHODS = ("redirect", "post")
"""Of an endpoint's URLs, the keys that end so are read, as the official library does."""


class Identity(NamedTuple):
    """An identity provider. "" is what it does not say."""

    prefix: str
    origin: str
    entity_id: str = ""
    metadata_url: str = ""
    sign_on_url: str = ""
    certificate: str = ""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """`SAML_ENTITY_ID` and so on, of what is known."""
        values = {
            "ENTITY_ID": self.entity_id,
            "METADATA_URL": self.metadata_url,
            "SINGLE_SIGN_ON_REDIRECT_URL": self.sign_on_url,
            "SIGNING_CERTIFICATE": self.certificate,
        }
        return tuple(Variable(f"{self.prefix}_{name}", text, self.origin) for name, text in values.items() if text)


def parse(relation: Relation) -> Identity | NotReady:
    """Read what the provider says of itself; all four fields are promised to the application."""
    bag = relation.bag
    found = Identity(
        prefix=prefix_of(SAML, relation.endpoint),
        origin=f"integration {relation.endpoint}",
        entity_id=bag.get("entity_id", ""),
        metadata_url=urls.web(bag.get("metadata_url", "")),
        sign_on_url=_sign_on(relation),
        certificate=bag.get("x509certs", "").split(",")[0].strip(),
    )
    fields = {
        "entity_id": found.entity_id,
        "metadata_url": found.metadata_url,
        "x509certs": found.certificate,
        f"{SIGN_ON}_redirect_url": found.sign_on_url,
    }
    missing = [name for name, text in fields.items() if not text]
    if not missing:
        return found
    return NotReady(f"no {' and no '.join(missing)}", partial=found if found.variables else None)


def _sign_on(relation: Relation) -> str:
    """Return the URL to send users to: that of the first sign-on endpoint whose binding is a redirect."""
    for method in METHODS:
        binding = relation.bag.get(f"{SIGN_ON}_{method}_binding", f"http-{method}")
        url = urls.web(relation.bag.get(f"{SIGN_ON}_{method}_url", ""))
        if url and "redirect" in binding.lower():
            return url
    return ""


INTERFACE = Interface(name=SAML.name, provider="saml-integrator", publish=nothing, parse=parse)
