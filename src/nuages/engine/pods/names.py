"""The names of a model's addresses, as files: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_LOCAL = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"


def merged(own: Mapping[str, Iterable[str]], given: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return address → names: what pods are called themselves, then what was said of the address besides."""
    table = {address: list(names) for address, names in own.items()}
    for address, names in given.items():
        table.setdefault(address, []).extend(names)
    return {address: list(dict.fromkeys(names)) for address, names in table.items() if names}


def hosts(table: Mapping[str, Iterable[str]]) -> str:
    """Return the text of /etc/hosts.

    Full names are there with a dot at the end too: DNS knows both spellings, a file only what is in it, and
    mysql-k8s gives its endpoints so.
    """
    spelled = {address: [word for name in names for word in _spelled(name)] for address, names in table.items()}
    return _LOCAL + "".join(f"{address}\t{' '.join(names)}\n" for address, names in spelled.items())


def _spelled(name: str) -> tuple[str, ...]:
    return (name, f"{name}.") if name.endswith(".cluster.local") else (name,)


def flat(table: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return name → address; of several addresses the first, as resolvers do it: a pod's own names are its own."""
    found: dict[str, str] = {}
    for address, names in table.items():
        for name in names:
            found.setdefault(name, address)
    return found
