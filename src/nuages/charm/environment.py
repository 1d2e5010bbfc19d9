"""The application's whole environment, each variable with where it comes from."""

import json
from collections.abc import Iterable

from nuages.charm import urls
from nuages.charm.facts import Facts
from nuages.charm.options import Settings
from nuages.charm.variables import Variable
from nuages.contract import bases
from nuages.contract.endpoints import HTTP_PROXY
from nuages.contract.options import MODERN_VARIABLES


def base_url(facts: Facts, ingress: str) -> str:
    """Return the URL under which users reach the application: the ingress's, else the Kubernetes service's."""
    return ingress or f"http://{facts.app}.{facts.model}:{facts.paas.port}"


def public_host(facts: Facts, ingress: str) -> str:
    """Return a Host header that the application accepts if it uses DJANGO_ALLOWED_HOSTS."""
    return urls.parse(base_url(facts, ingress)).netloc.rpartition("@")[2]


def build(
    facts: Facts, settings: Settings, ingress: str, key: tuple[Variable, ...], provided: Iterable[Variable]
) -> tuple[Variable, ...]:
    """Return the variables, sorted by name; of two with one name the later of this order wins.

    Built-in CSRF origins, the user's options, the framework's own variables, the secret key, proxies, the units'
    names, integrations.
    """
    url = base_url(facts, ingress)
    parts = urls.parse(url)
    url_origin = "integration ingress" if ingress else "built in"
    hosts = list(settings.allowed_hosts)
    if parts.hostname and parts.hostname not in hosts:
        hosts.append(parts.hostname)
    found = [
        Variable("DJANGO_CSRF_TRUSTED_ORIGINS", json.dumps([parts.origin]), url_origin),
        *settings.variables,
        *_metrics(facts),
        Variable("DJANGO_ALLOWED_HOSTS", json.dumps(hosts), f"option django-allowed-hosts and {url_origin}"),
        Variable("DJANGO_BASE_URL", url, url_origin),
        *key,
        *_proxies(facts),
        *_peers(facts),
        *provided,
    ]
    return tuple(sorted({variable.name: variable for variable in found}.values()))


def extend(facts: Facts, built: tuple[Variable, ...]) -> tuple[Variable, ...]:
    """Return the environment with what src/charm.py adds: its variables, then its aliases. They win.

    Raises:
        ValueError: a name or a value that no process can have.
    """
    found = {variable.name: variable for variable in built}
    extra = facts.added.variables(facts, {name: variable.value for name, variable in found.items()})
    found |= {variable.name: variable for variable in extra}
    for alias, name in facts.added.aliases.items():
        if name in found:
            original = found[name]
            found[alias] = original._replace(name=alias, origin=f"{original.origin} (alias of {name})")
    for name, variable in found.items():
        if not name or "=" in name or "\0" in name + variable.value:
            raise ValueError(f"cannot set the variable {name!r}, which src/charm.py adds: no process can have it")
    return tuple(found[name] for name in sorted(found))


def _metrics(facts: Facts) -> list[Variable]:
    """Return where metrics are scraped, which the charms of 26.04 tell their applications."""
    if not MODERN_VARIABLES.keys() <= bases.BY_CONTAINER[facts.container].variables.keys():
        return []
    values = (("DJANGO_METRICS_PORT", str(facts.paas.metrics_port)), ("DJANGO_METRICS_PATH", facts.paas.metrics_path))
    return [Variable(name, value, "built in, or paas-config.yaml") for name, value in values]


def _proxies(facts: Facts) -> list[Variable]:
    """Return the model's proxies; with an integration for proxies, http and https come from there alone."""
    names = {"http": "http_proxy", "https": "https_proxy", "no": "no_proxy"}
    if any(relation.interface == HTTP_PROXY.name for relation in facts.relations):
        names = {"no": "no_proxy"}
    return [
        Variable(name, value, f"model option juju-{scheme}-proxy" if scheme != "no" else "model option juju-no-proxy")
        for scheme, variable in names.items()
        if (value := facts.proxies.get(scheme))
        for name in (variable, variable.upper())
    ]


def _peers(facts: Facts) -> list[Variable]:
    if facts.peer is None or not facts.peer.units:
        return []
    names = sorted(map(facts.fqdn_of, facts.peer.units))
    return [Variable("DJANGO_PEER_FQDNS", ",".join(names), "the application's other units")]
