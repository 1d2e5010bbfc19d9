"""Reading and unpacking charms."""

import stat
import subprocess
import zipfile

import pytest

from nuages.engine.charms import CharmError, interpreter, prepare, read
from tests.engine.charms import pack


def archive(path, **files):
    with zipfile.ZipFile(path, "w") as found:
        for name, content in files.items():
            found.writestr(name.replace("__", "."), content)
    return path


def test_a_charm_is_read(tmp_path):
    charm = read(pack(tmp_path / "x.charm"))
    assert charm.name == "recorder"
    assert charm.endpoints["ask"].limit == 1
    assert [container.name for container in charm.containers] == ["work"]
    assert charm.options["say"].default == "nothing"
    assert charm.actions["greet"].params["name"]["default"] == "you"
    assert len(charm.digest) == 64


def test_the_base_names_the_python(tmp_path):
    manifest = "bases:\n  - name: ubuntu\n    channel: '22.04/stable'\n"
    charm = read(archive(tmp_path / "x.charm", metadata__yaml="name: x\n", manifest__yaml=manifest))
    assert charm.python == "3.10"


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({"nothing": "x"}, "holds no metadata.yaml"),
        ({"metadata__yaml": "name: [x\n"}, "cannot read metadata.yaml"),
        ({"metadata__yaml": "- x\n"}, "it is not a mapping"),
        ({"metadata__yaml": "summary: x\n"}, "has no name"),
        ({"metadata__yaml": "name: x\nrequires: {db: {}}\n"}, "endpoint db in requires names no interface"),
        ({"metadata__yaml": "name: x\n", "config__yaml": "options: {a: {type: text}}\n"}, "option a has type 'text'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, files, text):
    with pytest.raises(CharmError, match="cannot read") as caught:
        read(archive(tmp_path / "x.charm", **files))
    assert text in str(caught.value)


def test_no_charm_at_all(tmp_path):
    with pytest.raises(CharmError, match="does not exist"):
        read(tmp_path / "x.charm")
    (tmp_path / "x.charm").write_text("hello")
    with pytest.raises(CharmError, match="not a zip file"):
        read(tmp_path / "x.charm")


def test_preparing_compiles_for_the_interpreter_that_runs_it(tmp_path):
    charm = read(pack(tmp_path / "x.charm"))
    tree = prepare(charm, tmp_path / "charms")
    assert prepare(charm, tmp_path / "charms") == tree
    assert (tree / "dispatch").stat().st_mode & stat.S_IXUSR
    version = interpreter(charm).version.replace(".", "")
    (compiled,) = (tree / "src" / "__pycache__").glob("charm.*.pyc")
    assert f"cpython-{version}" in compiled.name
    # checked by hash: the flags say so, and no copy with other times makes it stale
    assert int.from_bytes(compiled.read_bytes()[4:8], "little") == 3
    assert not [path for path in (tmp_path / "charms").iterdir() if path != tree]


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside"])
def test_nothing_lands_outside(tmp_path, name):
    path = archive(tmp_path / "x.charm", metadata__yaml="name: x\n")
    with zipfile.ZipFile(path, "a") as found:
        found.writestr(name, "x")
    with pytest.raises(CharmError, match="points outside"):
        prepare(read(path), tmp_path / "charms")
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize(("link", "allowed"), [("../lib/x", True), ("../../outside", False), ("/etc/passwd", False)])
def test_links_stay_inside(tmp_path, link, allowed):
    path = archive(tmp_path / "x.charm", metadata__yaml="name: x\n")
    with zipfile.ZipFile(path, "a") as found:
        entry = zipfile.ZipInfo("venv/link")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        found.writestr(entry, link)
    if allowed:
        assert (prepare(read(path), tmp_path / "charms") / "venv/link").is_symlink()
    else:
        with pytest.raises(CharmError, match="points outside"):
            prepare(read(path), tmp_path / "charms")


def test_the_test_charm_is_importable(tmp_path):
    charm = read(pack(tmp_path / "x.charm"))
    tree = prepare(charm, tmp_path / "charms")
    script = "import sys; sys.path.insert(0, 'venv'); import ops; print(ops.__version__)"
    argv = [str(interpreter(charm).executable), "-I", "-S", "-c", script]
    assert subprocess.run(argv, cwd=tree, check=True, capture_output=True).stdout
