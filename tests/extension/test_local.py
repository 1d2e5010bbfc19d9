"""What `check` says of servers that are others here than in production, held to the servers and their pages."""

import re

import pytest

from docs.cases import CHARM, Case
from docs.writers.services import DIFFERENCES
from nuages.build.check import check
from nuages.extension.survey import local
from nuages.services import PROVIDES, REGISTRY


@pytest.mark.parametrize("interface", local.SERVERS)
def test_what_is_said_is_what_serves_and_what_the_page_says(interface: str) -> None:
    other = local.SERVERS[interface]
    name = next(name for name, provides in PROVIDES.items() if interface in provides.values())
    page = " ".join(DIFFERENCES[name])
    product, _, version = other.here.partition(" ")
    assert product in REGISTRY[name].summary
    assert other.there in page
    assert REGISTRY[name].version.startswith(version)
    for code in re.findall("`[^`]+`", other.differs):
        assert code in page
    for word in ("pgcrypto", "uuid-ossp", "PostGIS", "utf8mb4_0900_ai_ci", "LATERAL"):
        assert (word in other.differs) <= (word in page)


MYSQL = "requires:\n  mysql:\n    interface: mysql_client\n    optional: false\n"
REQUIREMENTS = "Django~=5.2\npymysql\nwhitenoise\n"


@pytest.mark.parametrize(
    ("line", "fires"),
    [
        ("COLLATION = 'utf8mb4_0900_ai_ci'", True),
        ("SQL = 'SELECT body->>\"$.title\" FROM note'", True),
        ("SQL = 'SELECT CAST(body AS JSON) FROM note'", True),
        ("SQL = 'SELECT 1 FROM a, LATERAL (SELECT 2) b'", True),
        ("SQL = 'SELECT JSON_EXTRACT(body, \"$.title\") FROM note'", False),
        ("def title(body: str) -> '$': ...", False),
        ("COLLATION = 'utf8mb4_unicode_ci'  # as JSON", False),
    ],
)
def test_what_only_mysql_has_is_named_at_its_line(line, fires, tmp_path):
    files = {CHARM: MYSQL, "requirements.txt": REQUIREMENTS, "notes/notes/reports.py": f"import os\n\n{line}\n"}
    Case("", False, files, {}).write("fires", tmp_path)
    found = [problem for problem in check(tmp_path / "charm").problems if problem.code == "local-server-lacks"]
    assert [problem.line for problem in found] == ([3] if fires else [])


def test_a_server_that_is_not_related_is_not_spoken_of(tmp_path):
    files = {"notes/notes/reports.py": "COLLATION = 'utf8mb4_0900_ai_ci'\n"}
    Case("", False, files, {}).write("fires", tmp_path)
    report = check(tmp_path / "charm")
    assert (report.problems, [note.what for note in report.notes]) == ((), ["requires.postgresql"])


def test_a_comment_silences_a_note(tmp_path):
    text = "requires:\n  # nuages: ignore[local-server] we run 18 in production\n  postgresql:\n"
    Case("", False, {CHARM: f"{text}    interface: postgresql_client\n    optional: false\n"}, {}).write(
        "fires", tmp_path
    )
    report = check(tmp_path / "charm")
    assert (report.problems, report.notes, len(report.silenced)) == ((), (), 1)
