"""Packing: what is in the charm, that it runs, and that the bytes are the same wherever it is packed."""

import hashlib
import json
import os
import platform
import re
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from nuages.build.errors import BuildError
from nuages.build.pack import pack
from nuages.cli.pack import command
from nuages.extension.problems import ExtensionError

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def charm(example):
    return example / "charm"


def unpacked(path, target):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for info in archive.infolist():
            file = archive.extract(info, target)
            Path(file).chmod(info.external_attr >> 16)
    return target


def test_what_is_in_it(charm, tmp_path):
    result = pack(charm, tmp_path / "out")
    assert result.path == tmp_path / "out/notes_amd64.charm"
    assert result.digest == hashlib.sha256(result.path.read_bytes()).hexdigest()
    assert result.notes == ()
    assert result.path.stat().st_size <= 2_000_000
    with zipfile.ZipFile(result.path) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        modes = {info.filename: stat.S_IMODE(info.external_attr >> 16) for info in archive.infolist()}
        documents = {name: archive.read(name).decode() for name in names if name.count("/") == 0}
    expected = {
        "dispatch",
        "explain",
        "metadata.yaml",
        "config.yaml",
        "actions.yaml",
        "manifest.yaml",
        "charmcraft.yaml",
    }
    assert set(documents) == expected
    for name in ("src/charm.py", "venv/nuages/charm/boot.py", "venv/nuages/contract/bases.py", "venv/ops/__init__.py"):
        assert name in names
    assert modes["dispatch"] == 0o755
    assert modes["explain"] == 0o755
    assert set(modes.values()) <= {0o644, 0o755}
    assert not [name for name in names if name.endswith((".pyc", ".so")) or "__pycache__" in name or "/tests/" in name]
    assert not [name for name in names if name.startswith(("venv/nuages/engine", "venv/nuages/cli", "venv/bin"))]
    for name in ("metadata.yaml", "config.yaml", "actions.yaml", "manifest.yaml"):
        assert json.loads(documents[name]) == yaml.safe_load(documents[name])
    metadata = json.loads(documents["metadata.yaml"])
    assert metadata["name"] == "notes"
    assert metadata["containers"] == {"django-app": {"resource": "django-app-image"}}
    assert metadata["requires"]["postgresql"]["optional"] is False
    assert metadata["display-name"] == "Notes"
    assert json.loads(documents["config.yaml"])["options"]["greeting"]["default"]
    [base] = json.loads(documents["manifest.yaml"])["bases"]
    assert base == {"name": "ubuntu", "channel": "24.04", "architectures": ["amd64"]}


def test_its_parts_import_without_the_machine_s_packages(charm, tmp_path):
    root = unpacked(pack(charm, tmp_path / "x.charm").path, tmp_path / "unpacked")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1] + '/venv');"
        "import ops, yaml, websocket, opentelemetry.trace, nuages.contract.bases;"
        "assert not hasattr(yaml, 'CSafeLoader');"
        "assert all(m.__file__.startswith(sys.argv[1]) for m in (ops, yaml, websocket, nuages.contract.bases));"
        "import importlib.metadata; print(importlib.metadata.version('ops'));"
        "opentelemetry.trace.get_tracer('x').start_span('y').end()"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(root)], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("3.")


def test_the_same_bytes_whoever_packs(charm, tmp_path, monkeypatch):
    first = pack(charm, tmp_path / "one.charm")
    again = tmp_path / "elsewhere"
    charm.rename(again)
    for path in again.rglob("*"):
        os.utime(path, (0, time.time() - 10_000))
    (again / "src/__pycache__").mkdir()
    (again / "src/__pycache__/charm.cpython-312.pyc").write_bytes(b"x")
    (again / "src/charm.py~").write_text("old")
    (again / ".git").mkdir()
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "fresh"))
    old = os.umask(0o077)
    try:
        second = pack(again, tmp_path / "two.charm")
    finally:
        os.umask(old)
    assert first.digest == second.digest


def test_another_file_gives_other_bytes(charm, tmp_path):
    first = pack(charm, tmp_path / "one.charm")
    (charm / "src/helper.py").write_text("A = 1\n")
    assert pack(charm, tmp_path / "two.charm").digest != first.digest


def test_own_requirements_are_added(charm, tmp_path, make_wheel):
    wheel = make_wheel("greetings", requires=("ops>=2",))
    (charm / "requirements.txt").write_text(f"ops >= 2.0  # satisfied\n./{os.path.relpath(wheel, charm)}\n")
    result = pack(charm, tmp_path / "one.charm")
    with zipfile.ZipFile(result.path) as archive:
        names = archive.namelist()
    assert "venv/greetings/__init__.py" in names
    assert "venv/ops/__init__.py" in names
    assert not [name for name in names if name.endswith(".so")]
    assert result.notes == ()


def test_compiled_code_is_told_and_marked(charm, tmp_path, make_wheel, monkeypatch):
    wheel = make_wheel("fast", files={"fast/__init__.py": "", "fast/_c.so": "elf"})
    (charm / "requirements.txt").write_text(f"./{os.path.relpath(wheel, charm)}\n")
    document = charm / "charmcraft.yaml"
    document.write_text(document.read_text().replace("  amd64:\n", "  amd64:\n  arm64:\n"))
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    result = pack(charm, tmp_path)
    [note] = result.notes
    assert "fast/_c.so" in note
    assert "amd64 with Python 3.12 only; for arm64: pack with --platform arm64" in note
    assert result.path.name == "notes_amd64.charm"
    assert manifest(result)["bases"] == [{"name": "ubuntu", "channel": "24.04", "architectures": ["amd64"]}]
    other = pack(charm, tmp_path, platform="arm64")
    assert other.path.name == "notes_arm64.charm"
    assert other.architectures == ("arm64",)
    assert manifest(other)["bases"][0]["architectures"] == ["arm64"]
    # another Python than the one that the code is compiled for is named, not left to an ImportError
    for script in ("dispatch", "explain"):
        root = unpacked(result.path, tmp_path / script)
        (tmp_path / "empty").mkdir(exist_ok=True)
        command = ["/usr/bin/env", "-i", f"PATH={tmp_path / 'empty'}", "/bin/sh", str(root / script)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr == "cannot run this charm: it has code compiled for Python 3.12, which is not here\n"


def test_compiled_code_for_where_no_wheels_are(charm, tmp_path, make_wheel):
    wheel = make_wheel("fast", files={"fast/__init__.py": "", "fast/_c.so": "elf"})
    (charm / "requirements.txt").write_text(f"./{os.path.relpath(wheel, charm)}\n")
    document = charm / "charmcraft.yaml"
    document.write_text(document.read_text().replace("  amd64:\n", "  s390x:\n"))
    with pytest.raises(BuildError, match=r"cannot pack for s390x: fast/_c\.so is compiled") as caught:
        pack(charm, tmp_path)
    assert caught.value.fix


def test_pure_python_is_for_all_declared_platforms_or_the_one_that_is_asked_for(charm, tmp_path):
    document = charm / "charmcraft.yaml"
    document.write_text(document.read_text().replace("  amd64:\n", "  amd64:\n  arm64:\n"))
    both = pack(charm, tmp_path)
    assert both.path.name == "notes_amd64-arm64.charm"
    assert manifest(both)["bases"][0]["architectures"] == ["amd64", "arm64"]
    assert pack(charm, tmp_path, platform="arm64").path.name == "notes_arm64.charm"
    with pytest.raises(BuildError, match="no such platform; did you mean arm64") as caught:
        pack(charm, tmp_path, platform="arm46")
    assert "amd64 and arm64" in caught.value.fix


def test_variables_of_the_architecture_are_those_of_the_platform(charm, tmp_path, monkeypatch):
    document = charm / "charmcraft.yaml"
    text = document.read_text().replace("  amd64:\n", "  amd64:\n  arm64:\n")
    document.write_text(re.sub(r"^title: .*$", "title: Notes on $CRAFT_ARCH_BUILD_FOR", text, flags=re.M))
    for machine, own, other in (("x86_64", "amd64", "arm64"), ("aarch64", "arm64", "amd64")):
        monkeypatch.setattr(platform, "machine", lambda machine=machine: machine)
        result = pack(charm, tmp_path / machine)
        assert (result.path.name, result.architectures) == (f"notes_{own}.charm", (own,))
        assert f"this charm is for {own}; for {other}: pack with --platform {other}" in " ".join(result.notes)
        for name in (own, other):
            one = pack(charm, tmp_path / machine / "one", platform=name)
            assert one.notes == ()
            assert f'"display-name": "Notes on {name}"' in zipfile.ZipFile(one.path).read("metadata.yaml").decode()
    document.write_text(text)
    assert pack(charm, tmp_path).architectures == ("amd64", "arm64")


def test_a_wheel_that_changed_under_its_name_is_installed_again(charm, tmp_path, make_wheel):
    wheel = make_wheel("greetings")
    (charm / "requirements.txt").write_text(f"./{os.path.relpath(wheel, charm)}\n")
    first = pack(charm, tmp_path / "one.charm")
    make_wheel("greetings", files={"greetings/__init__.py": "VERSION = 'new'\n"})
    second = pack(charm, tmp_path / "two.charm")
    assert first.digest != second.digest


def test_what_charm_libraries_need_is_installed(charm, tmp_path, make_wheel):
    wheel = make_wheel("greetings")
    library = charm / "lib/charms/other/v0/thing.py"
    library.parent.mkdir(parents=True)
    library.write_text(f'LIBID = "x"\nPYDEPS = ["ops", "greetings @ file://{wheel}"]\n')
    with zipfile.ZipFile(pack(charm, tmp_path / "one.charm").path) as archive:
        assert "venv/greetings/__init__.py" in archive.namelist()
        assert "lib/charms/other/v0/thing.py" in archive.namelist()
    library.write_text("PYDEPS = [\n")
    with pytest.raises(BuildError, match=r"cannot read .*thing\.py") as caught:
        pack(charm, tmp_path / "one.charm")
    assert "fetch-libs" in caught.value.fix


def test_charm_py_may_be_executed_and_is_what_analysers_look_for(charm, tmp_path):
    (charm / "src/charm.py").chmod(0o600)
    result = pack(charm, tmp_path / "one.charm")
    assert result.notes == ()
    root = unpacked(result.path, tmp_path / "unpacked")
    assert os.access(root / "src/charm.py", os.X_OK)
    last = (root / "dispatch").read_text().splitlines()[-1]
    assert (root / last.split()[-1]).samefile(root / "src/charm.py")
    attributes = {row["name"]: row["result"] for row in manifest(result)["analysis"]["attributes"]}
    assert attributes == {"language": "python", "framework": "operator"}


@pytest.mark.parametrize(
    ("text", "framework"),
    [
        ("import nuages.charm\nclass C(nuages.charm.DjangoCharm): pass\n", "unknown"),
        ("import ops\nimport nuages.charm\nclass C(nuages.charm.DjangoCharm): pass\n", "operator"),
        ("from ops import main\nimport nuages.charm\nclass C(nuages.charm.DjangoCharm): pass\nmain(C)\n", ""),
    ],
)
def test_what_a_review_would_refuse_is_told(charm, tmp_path, text, framework):
    (charm / "src/charm.py").write_text(text)
    result = pack(charm, tmp_path / "one.charm")
    assert bool(result.notes) is bool(framework)
    attributes = {row["name"]: row["result"] for row in manifest(result)["analysis"]["attributes"]}
    assert attributes["framework"] == (framework or "operator")
    if framework:
        assert "ops.main(YourClass)" in result.notes[0]


def manifest(result):
    with zipfile.ZipFile(result.path) as archive:
        return json.loads(archive.read("manifest.yaml"))


def test_requirements_that_cannot_be_met(charm, tmp_path):
    (charm / "requirements.txt").write_text("ops==1.0.0\n")
    with pytest.raises(BuildError) as caught:
        pack(charm, tmp_path / "one.charm")
    assert "cannot install the charm's requirements: " in str(caught.value)
    assert "ops==1.0.0" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "requirements.txt" in caught.value.fix
    assert not (tmp_path / "one.charm").exists()


UNEXTENDED = """\
name: plain
type: charm
summary: s
description: d
base: ubuntu@24.04
platforms: {amd64: null}
parts: {charm: {plugin: charm, source: .}}
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda charm: (charm / "src/charm.py").unlink(), r"charm\.py is missing"),
        (lambda charm: (charm / "charmcraft.yaml").write_text(UNEXTENDED), "does not use the extension"),
        (lambda charm: (charm / "src/charm.py").write_text("class C(\n"), r"src/charm\.py:1"),
        (lambda charm: (charm / "src/passwd").symlink_to("/etc/passwd"), "outside of the charm"),
    ],
)
def test_refused(charm, tmp_path, change, message):
    change(charm)
    with pytest.raises(BuildError, match=message) as caught:
        pack(charm, tmp_path / "one.charm")
    assert caught.value.fix
    assert list(tmp_path.glob("*.charm")) == []


def test_a_broken_rule_stops_packing(charm, tmp_path):
    path = charm / "charmcraft.yaml"
    path.write_text(path.read_text().replace("greeting:", "debug:"))
    with pytest.raises(ExtensionError, match="DJANGO_DEBUG"):
        pack(charm, tmp_path)


@pytest.mark.parametrize("place", ["file/x.charm", "folder.charm", "file/below/x.charm"])
def test_a_place_where_nothing_can_be_written(charm, tmp_path, place):
    (tmp_path / "file").touch()
    (tmp_path / "folder.charm").mkdir()
    with pytest.raises(BuildError, match=r"^cannot write .*(is no|is a) directory") as caught:
        pack(charm, tmp_path / place)
    assert "--output" in caught.value.fix


def test_the_command(charm, tmp_path):
    words = ["-p", str(charm.parent), "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(command, words, catch_exceptions=False)
    path = tmp_path / "out/notes_amd64.charm"
    assert result.output == f"Packed {path}\n"
    result = CliRunner().invoke(command, [*words, "--format", "json", "--platform", "amd64"], catch_exceptions=False)
    assert json.loads(result.stdout) == {
        "charm": str(path),
        "name": "notes",
        "base": "ubuntu@24.04",
        "architectures": ["amd64"],
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "size": path.stat().st_size,
        "notices": [],
    }
