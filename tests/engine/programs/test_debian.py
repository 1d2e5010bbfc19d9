"""Packages without root: the choice of names, and the real apt where there is one."""

import shutil
import subprocess

import pytest

from nuages.engine.programs import ProgramError, debian, fetch
from nuages.engine.programs.kinds import Debian, Program
from nuages.engine.programs.table import PROGRAMS
from tests.engine.programs.test_fetch import bare, finish, left, start

__all__ = ["bare"]

POLICY = """libaio1:
  Installed: (none)
  Candidate: 0.3.113-4
  Version table:
     0.3.113-4 500
mysql-common:i386:
  Installed: 5.8+1.1.0
  Candidate: 5.8+1.1.0
  Version table:
 *** 5.8+1.1.0 500
mail-transport-agent:
  Installed: (none)
  Candidate: (none)
  Version table:
"""


def test_candidates_are_what_can_be_had():
    assert debian.parse_candidates(POLICY) == {"libaio1", "mysql-common"}
    assert debian.parse_candidates("") == frozenset()


def test_of_alternatives_the_first_that_the_release_has():
    have = frozenset({"libaio1", "liburing2"})
    assert debian.choose("mariadb", ["libaio1t64|libaio1", "liburing2"], have, listed=True) == ["libaio1", "liburing2"]
    assert debian.choose("mariadb", ["libaio1|libaio1t64"], have, listed=True) == ["libaio1"]


def test_empty_package_lists_are_told_from_a_package_that_is_not_there():
    with pytest.raises(ProgramError, match=r"^cannot fetch rabbit: the package lists of apt are empty$") as caught:
        debian.choose("rabbit", ["rabbitmq-server"], frozenset(), listed=False)
    assert (caught.value.fix, caught.value.code) == ("sudo apt-get update", debian.NO_LISTS)
    with pytest.raises(ProgramError, match=r"^cannot fetch rabbit: apt knows no package rabbitmq-server ") as caught:
        debian.choose("rabbit", ["rabbitmq-server|rabbit"], frozenset({"erlang"}), listed=True)
    assert caught.value.code == "absent"


@pytest.mark.parametrize(
    "said", ["E: Failed to fetch http://x/y.deb  404  Not Found [IP]", "E: Can't find a source to "]
)
def test_old_lists_are_mended_by_the_same_command(said):
    error = debian._explained("mariadb", ProgramError("cannot fetch mariadb: x", code="program"), said + "download v1")
    assert (error.fix, error.code) == ("sudo apt-get update", debian.NO_LISTS)


class TestWhatIsSaidWhenNothingServes:
    PROGRAM = Program("thing", "1", (), otherwise="get a Debian")

    def test_what_the_machine_lacks_and_what_would_serve(self):
        error = fetch.failed(
            self.PROGRAM,
            [
                ProgramError("cannot fetch thing: there is no apt-get here", code="absent"),
                ProgramError("cannot fetch thing: no mvn", code="absent"),
            ],
        )
        assert str(error) == "cannot fetch thing: there is no apt-get here; no mvn"
        assert error.fix == "get a Debian"

    def test_a_source_that_this_machine_has_counts_first(self):
        real = ProgramError("cannot fetch thing: the network", fix="mend it", code="no-network")
        absent = ProgramError("cannot fetch thing: no apt", code="absent")
        assert fetch.failed(self.PROGRAM, [absent, real]) is real


def test_every_program_of_packages_says_what_else_would_serve():
    for program in PROGRAMS.values():
        if isinstance(program.sources[0], Debian):
            assert program.otherwise, program.name


def test_a_machine_without_apt_is_told_what_would_serve(bare):
    environment, folder = bare
    answer = finish(start({**environment, "MAVEN_REPOSITORY": ""}, "mariadb"))
    assert answer["error"] == (
        "cannot fetch mariadb: there is no apt-get here; there is neither mvn nor MAVEN_REPOSITORY here"
    )
    assert "MAVEN_REPOSITORY" in answer["fix"]
    assert left(folder) == []


@pytest.mark.skipif(not shutil.which("apt-get"), reason="no apt on this machine")
def test_several_packages_make_one_tree(bare):
    """MariaDB's server, its client and their libraries, 10 MB; both run from there."""
    environment, folder = bare
    environment["PATH"] = "/usr/bin:/bin:/usr/sbin:/sbin"
    answer = finish(start(environment, "mariadb"))
    if answer.get("code") in ("no-network", "no-lists"):
        pytest.skip(answer["error"])
    server = answer["found"]["mariadb"]
    root = folder / "mariadb-10.11"
    assert server == f"{root}/usr/sbin/mariadbd"
    libraries = ":".join(str(path) for path in (*root.glob("usr/lib/*-gnu"), *root.glob("lib/*-gnu")))
    for program in (server, f"{root}/usr/bin/mariadb"):
        argv = [program, "--no-defaults", "--version"]
        done = subprocess.run(argv, env={"LD_LIBRARY_PATH": libraries}, capture_output=True, text=True, check=True)
        assert "MariaDB" in done.stdout
    assert left(folder) == ["mariadb-10.11"]
    assert not list(root.glob(".*")), "what was downloaded is gone"
    assert "unpacking" in [note for *_, note in answer["seen"]]
