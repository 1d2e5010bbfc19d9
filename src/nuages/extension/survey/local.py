"""Rules on servers that are others on this machine than in production: what differs, and what cannot work here.

What each server lacks is on its page in docs/reference/applications.md, and tried in the server's own tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from nuages.contract.endpoints import MONGODB, MYSQL, POSTGRESQL, REDIS
from nuages.extension.django.findings import Place
from nuages.extension.problems import Problem
from nuages.extension.survey.sources import Survey


class Other(NamedTuple):
    """What serves an interface on this machine in place of what production has."""

    here: str
    there: str
    differs: str
    lacks: tuple[tuple[str, str], ...] = ()
    """Pattern over a line of code, and what it shows that only production's server has."""
    packages: tuple[tuple[str, str], ...] = ()
    """Package of the requirements that works only with production's server, and why."""


SERVERS = {
    POSTGRESQL.name: Other(
        "PostgreSQL 18",
        "PostgreSQL 14",
        "what only the newer one has fails there; the extensions pgcrypto, uuid-ossp and PostGIS are not here",
        lacks=(
            (r"""\bCryptoExtension\(|CreateExtension\(\s*["']pgcrypto""", "the extension pgcrypto"),
            (r"""CreateExtension\(\s*["']uuid-ossp""", "the extension uuid-ossp"),
            (r"""CreateExtension\(\s*["']postgis|gis\.db\.backends\.postgis""", "the extension PostGIS"),
        ),
    ),
    MYSQL.name: Other(
        "MariaDB",
        "MySQL 8.0",
        "JSON is text without `->`, `->>` and multi-valued indexes; there is no collation utf8mb4_0900_ai_ci, no "
        "LATERAL and no index on an expression; `regex` compares bytes",
        lacks=(
            (r"utf8mb4_0900_\w+", "the collations utf8mb4_0900_…"),
            (r"""\w\s*->>?\s*\\?['"]\$""", "the operators -> and ->>"),
            (r"(?i)\bMEMBER\s+OF\s*\(|\bAS\s+JSON\s*\)", "JSON as a type"),
            (r"\bLATERAL\s*\(", "LATERAL"),
        ),
    ),
    MONGODB.name: Other(
        "FerretDB",
        "MongoDB",
        "no `$lookup`, `$facet`, `$out`, `$merge`, `$avg`, `$cond`, `$expr`, no updates by pipeline, transactions, "
        "change streams or views, and no TTL, text or partial indexes",
        lacks=(
            (r"""["']\$(lookup|graphLookup|facet|out|merge)["']""", "that stage of an aggregation"),
            (r"""["']\$(avg|cond|expr)["']""", "that operator"),
            (r"\.(start_transaction|with_transaction)\(", "transactions"),
            (r"\bexpireAfterSeconds\b", "indexes with a TTL"),
        ),
        packages=(("django-mongodb-backend", "its models need $lookup, $facet, $expr and more"),),
    ),
    REDIS.name: Other("Valkey", "Redis", "Redis' modules (JSON, search, time series) are not here"),
}
"""By interface."""

_CODE = (".py", ".sql")


def servers(survey: Survey) -> Iterator[Problem]:
    """Each endpoint whose server here is another one than in production."""
    for name, other in _endpoints(survey).items():
        yield survey.of(
            survey.project.document,
            "local-server",
            ("requires", name),
            f"on this machine {other.here} serves it in place of {other.there}: {other.differs}",
            f"nothing to mend; before you rely on any of these, run your tests on {other.there} too",
        )


def lacks(survey: Survey) -> Iterator[Problem]:
    """What the project does that the server here cannot."""
    requirements = survey.findings.requirements if survey.findings else None
    for other in dict.fromkeys(_endpoints(survey).values()):
        for package, reason in other.packages:
            if found := requirements.has(package) if requirements else None:
                yield _lack(survey, found.place, package, f"{reason}, which {other.here} has not", other)
        for file in survey.tree.names:
            if not file.endswith(_CODE):
                continue
            text = survey.tree.text(file)
            for pattern, what in other.lacks:
                for match in re.finditer(pattern, text):
                    line = text.count("\n", 0, match.start()) + 1
                    if not text.splitlines()[line - 1].lstrip().startswith(("#", "--")):
                        place = Place(file, line)
                        yield _lack(survey, place, match[0].strip(), f"{other.here} has not got {what}", other)
                        break


def _lack(survey: Survey, place: Place | None, what: str, why: str, other: Other) -> Problem:
    return survey.at(
        "local-server-lacks",
        place,
        what,
        f"{why}: on this machine it fails, with {other.there} it works",
        f"do without it, or silence this and try it where {other.there} is",
    )


def _endpoints(survey: Survey) -> dict[str, Other]:
    """Return the first endpoint that the project itself requires of each interface that something else serves here."""
    found: dict[str, str] = {}
    for name, entry in survey.project.document.mapping("requires").items():
        interface = entry.get("interface") if isinstance(entry, dict) else None
        if isinstance(interface, str) and interface in SERVERS:
            found.setdefault(interface, name)
    return {name: SERVERS[interface] for interface, name in found.items()}


RULES = (servers, lacks)
