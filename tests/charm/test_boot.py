"""The boot script: what it makes lazy still works, JSON metadata is read like YAML, the charm class is found."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nuages.charm import boot

SOURCE = Path(boot.__file__)


def python(code: str) -> subprocess.CompletedProcess[str]:
    start = f"import sys; sys.path[:0] = {sys.path!r}; sys.argv = ['x']\nfrom nuages.charm import boot\n"
    return subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True, timeout=60, check=False)


def test_importing_it_leaves_the_collector_on() -> None:
    assert python("import gc; print(gc.isenabled())").stdout == "True\n"


def test_lazy_modules_load_when_used() -> None:
    done = python(
        "boot.lazy(boot.LAZY)\n"
        "import ssl, hashlib, ipaddress\n"
        "print(type(ssl).__name__, hashlib.sha256(b'x').hexdigest()[:8], ipaddress.ip_address('10.0.0.1'))\n"
        "from ssl import SSLContext\n"
        "print(type(ssl).__name__, SSLContext.__name__)\n"
        "import pickle; print(pickle.loads(pickle.dumps([1])))\n"
    )
    assert done.stdout.splitlines() == ["Lazy 2d711642 10.0.0.1", "module SSLContext", "[1]"], done.stderr


def test_json_is_read_first_and_yaml_as_before() -> None:
    done = python(
        "import yaml\n"
        "if hasattr(yaml, 'CSafeLoader'): del yaml.CSafeLoader\n"
        "boot.json_first()\n"
        "load = lambda text: yaml.load(text, Loader=yaml.CSafeLoader)\n"
        "print(load('{\"a\": [1, true, null, \"é\"]}'), load('{a: b}'), load('a: {b: [1]}'), load(''))\n"
    )
    assert done.stdout.strip() == "{'a': [1, True, None, 'é']} {'a': 'b'} {'a': {'b': [1]}} None", done.stderr


CHARM = "import ops\nimport nuages.charm\nclass NotesCharm(nuages.charm.DjangoCharm):\n    pass\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (CHARM, "NotesCharm"),
        (CHARM + "class Better(NotesCharm):\n    pass\n", "Better"),
        (CHARM.replace("class", "# class").replace("    pass\n", ""), None),
        (CHARM + "class Other(ops.CharmBase):\n    pass\n", None),
    ],
)
def test_charm_class_is_found(text: str, name: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "charm.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "charm", raising=False)
    if name is None:
        with pytest.raises(SystemExit, match="must define one subclass"):
            boot.charm_class()
    else:
        assert boot.charm_class().__name__ == name


def test_root_follows_from_where_the_script_is(tmp_path: Path) -> None:
    """A charm that says where it is, started the way `dispatch` does."""
    place = tmp_path / "venv" / "nuages" / "charm"
    place.mkdir(parents=True)
    (place / "boot.py").write_bytes(SOURCE.read_bytes())
    (tmp_path / "venv" / "ops.py").write_text(
        "import json, sys\nclass CharmBase: pass\n"
        "def main(cls): print(json.dumps([cls.__name__, sys.argv[0], sys.path[:3]]))\n"
    )
    (tmp_path / "venv" / "yaml.py").write_text("CSafeLoader = None\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "charm.py").write_text("import ops\nclass C(ops.CharmBase): pass\n")
    command = [sys.executable, "-I", "-S", "venv/nuages/charm/boot.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    root = str(tmp_path)
    expected = ["C", f"{root}/src/charm.py", [f"{root}/src", f"{root}/lib", f"{root}/venv"]]
    assert json.loads(done.stdout) == expected, done.stderr
