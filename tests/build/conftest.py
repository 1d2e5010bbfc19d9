import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nuages.build import rock as rock_module
from nuages.build.uv import find_uv

EXAMPLE = Path(__file__).parents[2] / "examples/notes"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of our own; only what uv has downloaded before is shared with the machine."""
    downloads = subprocess.run([find_uv(), "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    patch = pytest.MonkeyPatch()
    directory = tmp_path_factory.mktemp("cache")
    patch.setenv("UV_CACHE_DIR", downloads)
    patch.setenv("XDG_CACHE_HOME", str(directory))
    yield directory / "nuages"
    patch.undo()


@pytest.fixture(scope="session")
def statsd(cache: Path) -> Iterator[Path]:
    """A stand-in for the exporter, which takes a Go compiler minutes to make; the end-to-end tests use the real one."""
    program = cache / "statsd_exporter"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text("#!/bin/sh\necho exporter\n")
    program.chmod(0o755)
    patch = pytest.MonkeyPatch()
    patch.setattr(rock_module, "ensure", lambda *names, progress=None: dict.fromkeys(names, program))
    yield program
    patch.undo()


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of the example that a test may change."""
    copy = tmp_path / "notes"
    ignored = shutil.ignore_patterns("__pycache__", "db.sqlite3", "*.charm")
    shutil.copytree(EXAMPLE, copy, ignore=ignored)
    return copy


@pytest.fixture
def make_wheel(tmp_path: Path) -> Callable[..., Path]:
    """A maker of wheels: name, version, files."""

    def make(
        name: str, version: str = "1.0", files: dict[str, str] | None = None, requires: tuple[str, ...] = ()
    ) -> Path:
        path = tmp_path / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
        contents = {
            **(files or {f"{name}/__init__.py": f"VERSION = {version!r}\n"}),
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        with zipfile.ZipFile(path, "w") as archive:
            for file, text in contents.items():
                archive.writestr(file, text)
            archive.writestr(f"{info}/RECORD", "".join(f"{file},,\n" for file in [*contents, f"{info}/RECORD"]))
        return path

    return make


def tree(root: Path) -> dict[str, str]:
    """Return every path below `root` with what it is: for comparing directories."""
    return {
        str(path.relative_to(root)): str(path.readlink()) if path.is_symlink() else "d" if path.is_dir() else "f"
        for path in sorted(root.rglob("*"))
    }
