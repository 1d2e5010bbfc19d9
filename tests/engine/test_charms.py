"""Reading and unpacking charms."""

import os
import stat
import subprocess
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from nuages.engine import charms, config
from nuages.engine.charm import Action, Container, Endpoint, Option
from nuages.engine.charms import interpreter, prepare, read, unpack
from nuages.engine.errors import CharmError
from nuages.engine.foreign import load
from nuages.engine.metadata import base, build, options_of
from tests.engine.charms import pack

LAUGHS = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10) if i else 'x'}]\n" for i in range(10))
MOUNT = "storage: {{b: {{}}}}\ncontainers: {{a: {{mounts: [{{storage: {}, location: {}}}]}}}}\n"
OPTION = "options: {{a: {{type: {}, default: {}}}}}\n"


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
        ({"metadata__yaml": "name: {a: b\n"}, "in line 2, column 1"),
        ({"metadata__yaml": "name: x\na: *b\n"}, "undefined alias 'b' in line 2, column 4"),
        ({"metadata__yaml": "name: x\na: !!python/name:os.system x\n"}, "could not determine a constructor"),
        ({"metadata__yaml": "name: x\na: &a {b: c}\nd: {<<: *a}\n"}, "merge keys (<<) are not read"),
        ({"metadata__yaml": "name: x\na: &a [*a]\n"}, "nested too deeply"),
        ({"metadata__yaml": "name: x\na: " + "[" * 2000}, "cannot read metadata.yaml"),
        ({"metadata__yaml": "name: x\n" + LAUGHS}, "it is too large"),
        ({"metadata__yaml": "name: x\na: " + "x" * 2_000_000}, "it has 2000011 bytes"),
        ({"metadata__yaml": "name: x\n1: x\n"}, "the key 1 is no text"),
        ({"metadata__yaml": "name: x\na: !!binary eA==\n"}, "a value of type bytes has no place in it"),
        ({"metadata__yaml": "name: x\na: .nan\n"}, "nan is no number that JSON has"),
        ({"metadata__yaml": "summary: x\n"}, "metadata.yaml: name: field required"),
        ({"metadata__yaml": "name: 5\n"}, "metadata.yaml: name: input should be a valid string"),
        ({"metadata__yaml": "name: ../x\n"}, "metadata.yaml: name: string should match"),
        ({"metadata__yaml": "name: x\nrequires: {db: {}}\n"}, "requires.db.interface: field required"),
        (
            {"metadata__yaml": "name: x\nrequires: {db: {interface: y, limit: many}}\n"},
            "requires.db.limit: input should",
        ),
        ({"metadata__yaml": "name: x\nrequires: {db: {interface: y, limit: -1}}\n"}, "requires.db.limit: input should"),
        (
            {"metadata__yaml": "name: x\nrequires: {db: {interface: y, optional: maybe}}\n"},
            "requires.db.optional: input",
        ),
        ({"metadata__yaml": "name: x\nrequires: [db]\n"}, "requires: input should be a valid dictionary"),
        (
            {"metadata__yaml": "name: x\nrequires: {a: b}\nprovides: {a: b}\n"},
            "requires.a: another endpoint has this name",
        ),
        ({"metadata__yaml": "name: x\ncontainers: {../x: {}}\n"}, "containers.../x: string should match"),
        ({"metadata__yaml": "name: x\ncontainers: {a: {resource: b}}\n"}, 'containers.a: there is no resource "b"'),
        ({"metadata__yaml": "name: x\ncontainers: {a: {uid: root}}\n"}, "containers.a.uid: input should be"),
        ({"metadata__yaml": "name: x\ncontainers: {a: {mounts: [b]}}\n"}, "containers.a.mounts.0: input should be"),
        ({"metadata__yaml": "name: x\n" + MOUNT.format("../../b", "/b")}, "mounts.0.storage: string should match"),
        ({"metadata__yaml": "name: x\n" + MOUNT.format("b", "b")}, "mounts.0.location: string should match"),
        ({"metadata__yaml": "name: x\n" + MOUNT.format("c", "/b")}, 'containers.a: there is no storage "c"'),
        ({"metadata__yaml": "name: x\nresources: {a/b: {type: file}}\n"}, "resources.a/b: string should match"),
        (
            {"metadata__yaml": "name: x\n", "config__yaml": "options: [a]\n"},
            "config.yaml: options: it is not a mapping",
        ),
        ({"metadata__yaml": "name: x\n", "config__yaml": "options: {a: {}}\n"}, "options.a.type: field required"),
        (
            {"metadata__yaml": "name: x\n", "config__yaml": "options: {a: {type: text}}\n"},
            "options.a.type: input should be",
        ),
        (
            {"metadata__yaml": "name: x\n", "config__yaml": OPTION.format("int", "x")},
            "default of a is a text, not of type int",
        ),
        (
            {"metadata__yaml": "name: x\n", "config__yaml": OPTION.format("int", "1.5")},
            "option 'a' is of type int, not 1.5",
        ),
        ({"metadata__yaml": "name: x\n", "config__yaml": OPTION.format("boolean", "1")}, "is of type boolean, not 1"),
        ({"metadata__yaml": "name: x\n", "config__yaml": OPTION.format("string", "[x]")}, "options.a.default"),
        (
            {"metadata__yaml": "name: x\n", "config__yaml": OPTION.format("secret", "x")},
            "expected secret, got something that is no secret URI",
        ),
        ({"metadata__yaml": "name: x\n", "actions__yaml": "a: 5\n"}, "actions.yaml: actions.a: input should be"),
        ({"metadata__yaml": "name: x\n", "actions__yaml": "a: {params: [b]}\n"}, "actions.a.params: input should be"),
        ({"metadata__yaml": "name: x\n", "actions__yaml": "a: {required: b}\n"}, "actions.a.required: input should be"),
        ({"metadata__yaml": "name: x\n", "actions__yaml": "../a: {}\n"}, "actions.../a: string should match"),
        ({"metadata__yaml": "name: x\n", "manifest__yaml": "bases: 24.04\n"}, "manifest.yaml: bases: input should be"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, files, text):
    with pytest.raises(CharmError, match="cannot read") as caught:
        read(archive(tmp_path / "x.charm", **files))
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_left_out_or_empty_is_fine(tmp_path):
    metadata = """
        name: x
        summary:
        provides: {a: talk}
        requires:
        containers: {web: }
        storage: {data: {type: filesystem, minimum-size: 1G}}
        assumes: [juju >= 3.1]
        """
    files = {
        "config__yaml": "options: {d: {type: string, default: 2024-01-01}, e: {type: int}}",
        "actions__yaml": "a:\n",
    }
    charm = read(archive(tmp_path / "x.charm", metadata__yaml=metadata, manifest__yaml="bases:\n", **files))
    assert (charm.summary, charm.python) == ("", "")
    assert charm.endpoints == {"a": Endpoint("a", "provider", "talk")}
    assert charm.containers == (Container("web"),)
    assert charm.options == {"d": Option("d", "string", "2024-01-01"), "e": Option("e", "int")}
    assert charm.actions == {"a": Action("a")}


def test_whatever_is_read_is_kept(tmp_path):
    """What the state cannot write down and read again would cost the whole model at the next start."""
    charm = read(pack(tmp_path / "x.charm"))
    adapter = TypeAdapter(type(charm))
    assert adapter.validate_json(adapter.dump_json(charm)) == charm


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
        read(path)
    (tmp_path / "in").mkdir()
    with pytest.raises(CharmError, match="points outside"):
        unpack(path, tmp_path / "in")
    assert not (tmp_path / "outside").exists()


def link(archive, name, target):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, target)


@pytest.mark.parametrize(
    "entries",
    [
        # through a link that itself stays inside
        [("p/q/l", "->../../r"), ("p/q/a", "->l/../../outside"), ("r/f", "x")],
        [("p/q/a", "->l/../../outside"), ("p/q/l", "->../../r"), ("r/f", "x")],
        # a file below a link
        [("a", "->b"), ("a/f", "x")],
        [("a", "->b"), ("b/f", "x"), ("a/f", "y")],
        # one name twice
        [("a", "x"), ("a/f", "x")],
        [("a", "->b"), ("a", "->c")],
        [("dispatch", "->p/q/l/../../outside"), ("p/q/l", "->../../r"), ("r/f", "x")],
    ],
)
def test_entries_that_fight_each_other(tmp_path, entries):
    """Whatever the order: an error, and nothing outside is made or changed."""
    (tmp_path / "outside").write_text("as it was")
    (tmp_path / "outside").chmod(0o600)
    path = archive(tmp_path / "x.charm", metadata__yaml="name: x\n")
    with zipfile.ZipFile(path, "a") as found, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in entries:
            if content.startswith("->"):
                link(found, name, content[2:])
            else:
                found.writestr(name, content)
    with pytest.raises(CharmError, match="cannot unpack"):
        prepare(read(path), tmp_path / "charms")
    assert list((tmp_path / "charms").iterdir()) == []
    assert (tmp_path / "outside").read_text() == "as it was"
    assert stat.S_IMODE((tmp_path / "outside").stat().st_mode) == 0o600
    assert {found.name for found in tmp_path.iterdir()} == {"x.charm", "charms", "outside"}


def test_links_within_the_charm_are_kept(tmp_path):
    path = archive(tmp_path / "x.charm", metadata__yaml="name: x\n")
    with zipfile.ZipFile(path, "a") as found:
        link(found, "lib64", "lib")
        link(found, "lib/current", "v1/../v1")
        found.writestr("lib/v1/f", "x")
        link(found, "dangling", "later/on")
    tree = prepare(read(path), tmp_path / "charms")
    assert (tree / "lib64/current/f").read_text() == "x"
    assert (tree / "dangling").is_symlink()


def test_rights_are_the_ordinary_ones(tmp_path):
    path = archive(tmp_path / "x.charm", metadata__yaml="name: x\n")
    with zipfile.ZipFile(path, "a") as found:
        for name, mode in (("setuid", 0o6755), ("open", 0o666), ("closed", 0o000), ("tool", 0o700)):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFREG | mode) << 16
            found.writestr(entry, "x")
    tree = prepare(read(path), tmp_path / "charms")
    modes = {name: stat.S_IMODE((tree / name).stat().st_mode) for name in ("setuid", "open", "closed", "tool")}
    assert modes == {"setuid": 0o755, "open": 0o644, "closed": 0o644, "tool": 0o755}


def damaged(path, change):
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)
    return path


def test_a_damaged_entry_is_an_error_wherever_it_is_read(tmp_path):
    path = tmp_path / "x.charm"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as found:
        found.writestr("metadata.yaml", "name: x\n")
        found.writestr("src/charm.py", "print('hello')\n" * 500)
    good = path.read_bytes()
    at = good.index(b"src/charm.py") + len("src/charm.py") + 5
    damaged(path, lambda content: content.__setitem__(slice(at, at + 8), b"\xff" * 8))
    charm = read(path)
    with pytest.raises(CharmError, match="cannot unpack"):
        prepare(charm, tmp_path / "charms")
    assert list((tmp_path / "charms").iterdir()) == []
    path.write_bytes(good[:-30])
    with pytest.raises(CharmError, match="not a zip file"):
        read(path)


def test_an_encrypted_charm_is_refused(tmp_path):
    path = archive(tmp_path / "x.charm", metadata__yaml="name: x\n")

    def encrypt(content):
        content[6] |= 1
        content[content.index(b"PK\x01\x02") + 8] |= 1

    with pytest.raises(CharmError, match="encrypted"):
        read(damaged(path, encrypt))


def test_a_directory_and_a_file_that_may_not_be_read(tmp_path):
    with pytest.raises(CharmError, match=r"cannot read the charm: .*directory"):
        read(tmp_path)


@given(st.binary(max_size=400))
def test_any_document_is_read_or_refused(content):
    refused(lambda: load(content, "metadata.yaml"))


WORDS = [
    "&a ",
    "*a",
    "!!int ",
    "!!bool ",
    "!!timestamp ",
    "!!float ",
    "!!set ",
    "!!omap ",
    "!!binary ",
    "<<: ",
    "? ",
    ": ",
]
WORDS += [
    "- ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\n",
    " ",
    "a",
    "1",
    "=",
    "~",
    "|",
    ">",
    "'",
    '"',
    "%",
    "---",
    "\t",
    "1:2",
    "0x",
    ".inf",
]


@given(st.lists(st.sampled_from(WORDS), max_size=30).map("".join))
def test_any_yaml_is_read_or_refused(text):
    refused(lambda: load(text.encode(), "metadata.yaml"))


PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "interface",
        "limit",
        "optional",
        "scope",
        "resource",
        "mounts",
        "storage",
        "location",
        "type",
        "default",
        "params",
    ]
)
PART = st.one_of(PLAIN, st.dictionaries(KEYS, st.one_of(PLAIN, st.sampled_from(["int", "string", "float", "/x", "a"]))))
PARTS = st.one_of(PLAIN, st.dictionaries(st.sampled_from(["a", "b", "../x", ""]), PART, max_size=3))
SECTIONS = st.sampled_from(["provides", "requires", "peers", "containers", "resources", "storage", "summary"])


@given(st.dictionaries(SECTIONS, PARTS, max_size=3), PARTS, PARTS, PARTS)
def test_any_documents_make_a_charm_that_is_kept_or_are_refused(sections, options, actions, manifest):
    def work():
        base({"bases": manifest})
        charm = build({"name": "x", **sections}, options_of({"options": options}), wrapped(actions), digest="d")
        adapter = TypeAdapter(type(charm))
        assert adapter.validate_json(adapter.dump_json(charm)) == charm
        assert config.effective(charm.options, {}) is not None

    refused(work)


def wrapped(value):
    return value if isinstance(value, dict) else {"a": value}


def refused(work):
    """Do it; the only exception that may come of it is the one that people see."""
    try:
        work()
    except CharmError as error:
        assert "\n" not in str(error)
        assert str(error).startswith("cannot read ")


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


def test_a_charm_is_kept_as_long_as_an_application_has_it(tmp_path):
    """And one that may be about to be deployed."""
    kept, source = tmp_path / "charms", pack(tmp_path / "a.charm")
    found = charms.keep(charms.read(source), source, kept)
    assert Path(found.path).read_bytes() == source.read_bytes()
    charms.prepare(found, kept)
    for name in ("0" * 64 + ".charm", "1" * 16, ".part-x"):
        (kept / name).mkdir() if len(name) == 16 else (kept / name).touch()
    charms.forget(kept, {found.digest, "built-in"})
    assert len(list(kept.iterdir())) == 5
    for path in kept.iterdir():
        os.utime(path, (1, 1))
    charms.forget(kept, {found.digest, "built-in"})
    assert sorted(path.name for path in kept.iterdir()) == sorted([f"{found.digest}.charm", found.digest[:16]])
    charms.keep(found, source, kept)
    charms.forget(kept, set())
    assert [path.name for path in kept.iterdir()] == [f"{found.digest}.charm"]
    charms.forget(tmp_path / "none", set())


def test_one_charm_kept_by_two_at_once(tmp_path):
    source = pack(tmp_path / "a.charm")
    found = charms.read(source)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: charms.keep(found, source, tmp_path / "charms"), range(8)))
    assert {one.path for one in made} == {str(tmp_path / "charms" / f"{found.digest}.charm")}
    assert len(list((tmp_path / "charms").iterdir())) == 1
