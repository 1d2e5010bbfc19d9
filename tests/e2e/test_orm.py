"""What Django's ORM can, on each SQL server inside a pod, with the drivers that people use.

The checks are tests/e2e/orm's own (`checks_*.py`): they run by `manage.py test` in the application's container, as the
application's user, on its database.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import world_of
from tests.e2e.projects import add_charm_settings, own_port
from tests.e2e.world import World

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parent / "orm"


@contextmanager
def orm_on(home: Path, endpoint: str, driver: str) -> Iterator[World]:
    """A world of the project with one database endpoint and one driver, not yet up."""
    with world_of(PROJECT, home) as world:
        world.port = own_port()
        charm = world.project / "charm" / "charmcraft.yaml"
        charm.write_text(charm.read_text().replace("postgresql", endpoint))
        (world.project / "requirements.txt").write_text(f"Django~=5.2.0\n{driver}\n")
        add_charm_settings(world.project / "orm")
        yield world


def running(home: Path, endpoint: str, driver: str) -> Iterator[World]:
    with orm_on(home, endpoint, driver) as world:
        world.up()
        yield world


def run(world: World, *more: str) -> str:
    """Run the checks in the container and return what they said."""
    django = ("/charm/bin/pebble", "exec", "--context", "django", "-w", "/django/app", "--")  # its environment and user
    argv = ("/bin/python3", "manage.py", "test", "--noinput", "--pattern", "checks_*.py", "-v", "2", *more)
    done = world.nuages("ssh", "--container", "django-app", "orm/0", "--", *django, *argv, "suite", check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-8000:]
    return said


def passed(said: str, *, skipped: int) -> int:
    """Return how many checks there were; those of the other server's own ways, and no others, were skipped."""
    found = re.search(r"^Found (\d+) test\(s\)", said, re.MULTILINE)
    assert found and said.rstrip().endswith(f"\nOK (skipped={skipped})"), said[-3000:]
    return int(found[1])


CHECKS = sum(path.read_text().count("    def test_") for path in (PROJECT / "orm" / "suite").glob("checks_*.py"))


@pytest.fixture(scope="module")
def postgresql(home: Path) -> Iterator[World]:
    yield from running(home, "postgresql", "psycopg[binary]~=3.2")


@pytest.fixture(scope="module")
def pymysql(home: Path) -> Iterator[World]:
    yield from running(home, "mysql", "PyMySQL[rsa]~=1.1")


@pytest.fixture(scope="module")
def mysqlclient(home: Path) -> Iterator[World]:
    """It has no wheel for Linux: with a compiler and MariaDB's headers on the machine, uv builds one."""
    found = shutil.which("pkg-config") and shutil.which("gcc")
    if not found or subprocess.run(["pkg-config", "--exists", "libmariadb"], check=False).returncode:
        pytest.skip("mysqlclient is built here: apt-get install gcc pkg-config libmariadb-dev")
    yield from running(home, "mysql", "mysqlclient~=2.2")


def test_on_postgresql_with_psycopg(postgresql: World):
    page = postgresql.browser().get("/").text.splitlines()
    assert page[0] == "postgresql" and page[1].startswith("PostgreSQL ")
    assert passed(run(postgresql), skipped=1) == CHECKS


def test_on_mariadb_with_pymysql(pymysql: World):
    page = pymysql.browser().get("/").text.splitlines()
    assert page[0] == "mysql" and "MariaDB" in page[1] and "pymysql" in page[3]
    assert passed(run(pymysql), skipped=1) == CHECKS


def test_on_mariadb_with_mysqlclient(mysqlclient: World):
    page = mysqlclient.browser().get("/").text.splitlines()
    assert page[0] == "mysql" and "MariaDB" in page[1] and page[2] == "MySQLdb" and "pymysql" not in page[3]
    assert passed(run(mysqlclient), skipped=1) == CHECKS
