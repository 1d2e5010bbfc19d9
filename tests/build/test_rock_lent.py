"""What an application takes from this machine: compiled files' libraries, and staged packages."""

import shutil
import struct
import subprocess
import sysconfig
from pathlib import Path

import pytest

from nuages.build import elf, rock_lent
from nuages.build.environment import Environment
from nuages.build.rock_lent import Library
from nuages.contract.bases import BY_NAME
from nuages.engine.programs import pythons

NOBLE, JAMMY = BY_NAME["ubuntu@24.04"], BY_NAME["ubuntu@22.04"]


def made_elf(names, *, wide=True, order="<"):
    """A small shared object that needs libraries of these names: header, two segments, strings, dynamic section."""
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in names)
    offsets = [1 + sum(len(name) + 1 for name in names[:index]) for index in range(len(names))]
    word = order + ("QQ" if wide else "II")
    header = 64 if wide else 52
    segment = 56 if wide else 32
    start = header + 2 * segment
    base = 0x1000
    entries = [(1, offset) for offset in offsets] + [(5, base + start), (0, 0)]
    dynamic = b"".join(struct.pack(word, *entry) for entry in entries)
    total = start + len(strings) + len(dynamic)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    if wide:
        head = ident + struct.pack(order + "HHIQQQIHHHHHH", 3, 62, 1, 0, header, 0, 0, header, segment, 2, 0, 0, 0)
        load = struct.pack(order + "IIQQQQQQ", 1, 5, 0, base, base, total, total, 4096)
        point = start + len(strings)
        dyn = struct.pack(order + "IIQQQQQQ", 2, 6, point, base + point, 0, len(dynamic), len(dynamic), 8)
    else:
        head = ident + struct.pack(order + "HHIIIIIHHHHHH", 3, 3, 1, 0, header, 0, 0, header, segment, 2, 0, 0, 0)
        load = struct.pack(order + "IIIIIIII", 1, 0, base, base, total, total, 5, 4096)
        point = start + len(strings)
        dyn = struct.pack(order + "IIIIIIII", 2, point, base + point, 0, len(dynamic), len(dynamic), 6, 4)
    return head + load + dyn + strings + dynamic


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_needed_is_read(tmp_path, wide, order):
    path = tmp_path / "a.so"
    path.write_bytes(made_elf(["libpq.so.5", "libc.so.6"], wide=wide, order=order))
    assert elf.needed(path) == ("libpq.so.5", "libc.so.6")


def test_a_broken_file_needs_nothing(tmp_path):
    whole = made_elf(["libpq.so.5"])
    path = tmp_path / "a.so"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert elf.needed(path) in ((), ("libpq.so.5",))
    path.write_text("#!/bin/sh\n")
    assert elf.needed(path) == ()


def test_as_readelf_says():
    if not shutil.which("readelf"):
        pytest.skip("readelf is not here")
    modules = sorted(Path(sysconfig.get_path("platstdlib")).joinpath("lib-dynload").glob("*.so"))[:20]
    for path in [*modules, Path("/bin/sh").resolve()]:
        said = subprocess.run(["readelf", "-d", "-W", path], capture_output=True, text=True, check=True).stdout
        expected = tuple(line.split("[")[1].rstrip("]") for line in said.splitlines() if "(NEEDED)" in line)
        assert elf.needed(path) == expected, path


@pytest.fixture
def packages(tmp_path):
    root = tmp_path / "lib/python3.12/site-packages"
    for name, needs in {
        "psycopg2/_psycopg.cpython-312-x86_64-linux-gnu.so": ["libpq.so.5", "libc.so.6", "ld-linux-x86-64.so.2"],
        "other/a.so": ["libpq.so.5", "libown-1234.so.1", "libunknown.so.7", "libz.so.1"],
        "other.libs/libown-1234.so.1": ["libm.so.6"],
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(made_elf(needs))
    (root / "python_magic-0.4.27.dist-info").mkdir()
    return root


FOUND = [
    Library("libpq.so.5", "other/a.so"),
    Library("libunknown.so.7", "other/a.so"),
    Library("libmagic.so.1", "python_magic"),
]


def test_libraries_that_neither_the_environment_nor_a_rock_has(packages):
    assert list(rock_lent.libraries(packages)) == FOUND


def test_they_are_looked_for_once(packages, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = Environment(tmp_path, "digest", pythons.Python("3.12", Path("/usr/bin/python3"), Path("/usr")))
    assert rock_lent.lent(made) == FOUND
    monkeypatch.setattr(rock_lent, "libraries", lambda _: 1 / 0)
    assert rock_lent.lent(made) == FOUND


def test_what_is_said():
    first, second, third = rock_lent.notes(FOUND, [], NOBLE)
    assert first == (
        "other/a.so takes libpq.so.5 from this machine, and the rock would lack it: "
        "stage-packages: [libpq5] in rockcraft.yaml"
    )
    assert "libunknown.so.7" in second
    assert "[libmagic1t64]" in third
    assert "[libmagic1]" in rock_lent.notes(FOUND, [], JAMMY)[2]
    assert len(rock_lent.notes(FOUND, ["libpq-dev", "libmagic1"], NOBLE)) == 1


def test_staged_packages_that_are_here_and_that_are_not():
    if not shutil.which("dpkg-query"):
        pytest.skip("this is no Debian")
    here, missing = rock_lent.staged_notes(["dpkgt64", "dpkg", "libnuages-is-no-package1"])
    assert here == "stage-packages dpkgt64 and dpkg: this machine's are used"
    assert "libnuages-is-no-package1: not on this machine" in missing
    assert "sudo apt install libnuages-is-no-package1" in missing


def test_without_dpkg_it_cannot_be_said(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert rock_lent.staged_notes(["libpq5"]) == ["stage-packages libpq5: this machine's are used, if it has them"]
    assert rock_lent.staged_notes([]) == []
