"""reference/programs.md: the external programs, from the engine's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from docs.writers.markdown import code, page, table
from nuages.engine.programs.kinds import Debian, Maven, OnPath, Program, Source, Wheel
from nuages.engine.programs.table import PROGRAMS

PURPOSES: Mapping[str, str] = {
    "bwrap": "bubblewrap, the sandbox that each container is",
    "pebble": "the service manager of each container, the one of Kubernetes charms",
    "statsd_exporter": "turns gunicorn's numbers into metrics, inside the rock",
    "postgresql": "the server behind postgresql-k8s",
    "aiosmtpd": "the library behind the mail catcher of smtp-integrator",
    "pymongo": "the driver behind the console of mongodb-k8s",
    "pika": "the library behind the console of rabbitmq-k8s",
    "valkey": "the server behind redis-k8s and valkey",
    "traefik": "the proxy behind traefik-k8s",
    "hooktool": "the hook tools that a charm calls",
    "signxml": "the library behind saml-integrator",
    "authlib": "the library behind hydra",
    "mariadb": "the server behind mysql-k8s",
    "prometheus": "the server behind prometheus-k8s",
    "rabbitmq": "the server behind rabbitmq-k8s",
    "squid": "the proxy behind squid-forward-proxy",
    "versitygw": "the object store behind s3-integrator",
    "ferretdb": "the server behind mongodb-k8s",
    "openfga": "the server behind openfga-k8s",
    "go": "only to build what is built with Go",
}


def pages() -> Iterator[tuple[str, str]]:
    """Return the page."""
    yield (
        "programs.md",
        page(
            "Programs",
            "The real programs that run your application. Each is taken from the first source that has it: an "
            "installed one in a good version, a wheel pinned by its hashes, a package of the distribution unpacked "
            "without root, or built with Go from sources pinned by `go.sum`. What is fetched or built goes to "
            "`$XDG_CACHE_HOME/nuages` (`~/.cache/nuages`), once for each user of the machine; removing that folder "
            "while nothing runs costs only the time to fetch it again.",
            table(
                ("program", "version", "what for", "from", "to fetch", "on disk"),
                (row for program in PROGRAMS.values() for row in _rows(program)),
            ),
            "What building takes on disk is free again afterwards.",
        ),
    )


def _rows(program: Program) -> Iterator[tuple[str, ...]]:
    first = (code(program.name), program.version, PURPOSES[program.name])
    for number, source in enumerate(program.sources):
        sizes = ("", "") if isinstance(source, OnPath) else (_size(source.download), _size(source.installed))
        yield (*(first if number == 0 else ("", "", "")), ("else " if number else "") + _source(source), *sizes)


def _source(source: Source) -> str:
    if isinstance(source, OnPath):
        return f"installed: {source.minimum} or newer" + (f", below {source.below}" if source.below else "")
    if isinstance(source, Wheel):
        return f"the wheel {code(source.package)}"
    if isinstance(source, Debian):
        first, *rest = source.packages
        others = "" if not rest else " and another" if len(rest) == 1 else f" and {len(rest)} others"
        return f"the Debian package {code(first.partition('|')[0])}{others}"
    if isinstance(source, Maven):
        return f"the jar {code(source.artifact)}"
    return f"built from {code(source.package)}"


def _size(size: int) -> str:
    return f"{size / 1_000_000:.2g} MB" if size < 1_000_000 else f"{size / 1_000_000:.0f} MB"
