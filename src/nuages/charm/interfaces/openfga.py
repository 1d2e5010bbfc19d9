"""OpenFGA: relationship-based permissions, version 1 of the interface."""

from nuages.charm import urls
from nuages.charm.facts import Facts, Relation
from nuages.charm.interfaces.base import Interface, NotReady, Publication
from nuages.charm.variables import Variable
from nuages.contract.endpoints import OPENFGA, prefix_of
from nuages.contract.row import NamedTuple

SECRET = "token_secret_id"  # noqa: S105  the name of a field


class Store(NamedTuple):
    """A store of relationships. "" is what the provider does not say."""

    prefix: str
    origin: str
    grpc_url: str
    http_url: str
    store_id: str = ""
    token: str = ""

    @property
    def variables(self) -> tuple[Variable, ...]:
        """`FGA_STORE_ID` and so on, of what is known."""
        values = {
            "STORE_ID": self.store_id,
            "TOKEN": self.token,
            "GRPC_API_URL": self.grpc_url,
            "HTTP_API_URL": self.http_url,
        }
        return tuple(
            Variable(f"{self.prefix}_{name}", text, self.origin, secret=name == "TOKEN")
            for name, text in values.items()
            if text
        )


def publish(facts: Facts, _relation: Relation, _url: str) -> Publication:
    """Ask for a store named like the application.

    The provider looks the store up by this name at every change: another name is another, empty store. So the name
    that an earlier charm asked for (`app-store`) stays.
    """
    return Publication(app={"store_name": facts.app})


def parse(relation: Relation) -> Store | NotReady:
    """Read the server's URLs, the store and the token."""
    bag = relation.bag
    store = Store(
        prefix=prefix_of(OPENFGA, relation.endpoint),
        origin=f"integration {relation.endpoint}",
        grpc_url=bag.get("grpc_api_url", ""),
        http_url=bag.get("http_api_url", ""),
        store_id=bag.get("store_id", ""),
    )
    if not (store.grpc_url and store.http_url):
        return NotReady("no API URLs yet")
    if not urls.parse(store.http_url).hostname:
        return NotReady("its http_api_url is no URL")
    token = bag.get("token", "")
    if bag.get(SECRET):
        content = relation.secrets.get(bag[SECRET])
        if content is None:
            return NotReady("its secret cannot be read yet", partial=store)
        token = content.get("token", "")
        if not token:
            return NotReady("its secret has no token", partial=store)
    store = store._replace(token=token)
    return store if store.store_id else NotReady("no store yet", partial=store)


INTERFACE = Interface(name=OPENFGA.name, provider="openfga-k8s", publish=publish, parse=parse)
