"""What init does to a directory: reads, writes in one piece, refuses what is in the way; the shadow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nuages.build import init, new
from nuages.build.errors import BuildError
from nuages.extension.problems import ExtensionError
from nuages.extension.scaffold import Planned
from tests.extension.django.trees import project


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "folder"
    for name, text in project('SECRET_KEY = "x"\n').items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def everything(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_prepare_writes_nothing_and_write_writes_all(root: Path):
    before = everything(root)
    prepared = init.prepare(root, settings=True)
    assert everything(root) == before
    changes = init.changes(prepared)
    assert [change.planned.path for change in changes if change.asks] == ["manage.py", "site_one/wsgi.py"]
    (root / "manage.py").chmod(0o750)
    init.write(root, prepared.files)
    assert (root / "charm/src/charm.py").stat().st_mode & 0o111
    assert (root / "manage.py").stat().st_mode & 0o777 == 0o750
    assert init.changes(init.prepare(root, settings=True)) == []


def test_comments_and_form_of_documents_are_the_user_s(root: Path):
    init.write(root, init.prepare(root, settings=False).files)
    path = root / "charm/charmcraft.yaml"
    path.write_text("# mine\n" + path.read_text().replace("limit: 1", "limit:   1  # one"))
    assert init.changes(init.prepare(root, settings=False)) == []
    path.write_text(path.read_text().replace("optional: false", "optional: true"))
    (change,) = init.changes(init.prepare(root, settings=False))
    assert change.asks and change.planned.path == "charm/charmcraft.yaml"


def test_the_name_stays_what_it_was(root: Path):
    init.write(root, init.prepare(root, settings=False, name="other").files)
    assert init.prepare(root, settings=False).findings.name.value == "other"


@pytest.mark.parametrize("name", ["A", "a_b", "-a", "a--b", "a" * 41, ""])
def test_names_that_cannot_be(root: Path, name: str):
    with pytest.raises(BuildError, match="cannot use the name") as refused:
        init.prepare(root, settings=False, name=name)
    assert "nuages init --name " in refused.value.fix


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"charmcraft.yaml": "name: x\n"}, "it has a charm already"),
        ({"charm/charmcraft.yaml": "name: x\n"}, "does not use django-framework"),
        ({"charm/__init__.py": ""}, "is a Python package"),
        ({"charm": "a file"}, "is no directory"),
    ],
)
def test_what_is_in_the_way(root: Path, files: dict[str, str], message: str):
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    before = everything(root)
    with pytest.raises(BuildError, match=message) as refused:
        init.changes(init.prepare(root, settings=False))
    assert refused.value.fix and everything(root) == before


def test_a_charm_that_is_no_yaml_is_named_with_its_place(root: Path):
    (root / "charm").mkdir()
    (root / "charm/charmcraft.yaml").write_text("name: [\n")
    with pytest.raises(ExtensionError, match=r"charmcraft\.yaml:2:1"):
        init.prepare(root, settings=False)


def test_a_broken_rockcraft_is_shown_as_a_difference(root: Path):
    (root / "rockcraft.yaml").write_text("name: [\n")
    changes = init.changes(init.prepare(root, settings=False))
    assert [change.planned.path for change in changes if change.asks] == ["rockcraft.yaml"]


def test_links_out_of_the_project_are_not_written_through(root: Path, tmp_path: Path):
    (tmp_path / "theirs.yaml").write_text("x")
    (root / "rockcraft.yaml").symlink_to(tmp_path / "theirs.yaml")
    with pytest.raises(BuildError, match="outside of the project"):
        init.changes(init.prepare(root, settings=False))
    assert (tmp_path / "theirs.yaml").read_text() == "x"


def test_an_interrupted_write_leaves_the_old_file(root: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(descriptor: int, *args: object, **kwargs: object) -> None:
        os.close(descriptor)
        raise KeyboardInterrupt

    before = everything(root)
    monkeypatch.setattr("nuages.build.init.os.fdopen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        init.write(root, [Planned("manage.py", "new", "")])
    assert everything(root) == before


def test_the_shadow_is_the_project_with_the_files_and_follows_it(root: Path):
    before = everything(root)
    shadow = init.shadow(init.prepare(root, settings=True))
    assert everything(root) == before
    assert (shadow / "charm/charmcraft.yaml").is_file()
    assert "settings_charm" in (shadow / "manage.py").read_text()
    (root / "site_one/settings.py").write_text("edited")
    assert (shadow / "site_one/settings.py").read_text() == "edited"
    (root / "site_one/later.py").write_text("")
    assert (init.shadow(init.prepare(root, settings=True)) / "site_one/later.py").is_file()


@pytest.mark.parametrize("name", ["Shop", "my_shop", "class", "json", "django", "2nd", "guestbook", "é"])
def test_new_names_that_cannot_be(tmp_path: Path, name: str):
    with pytest.raises(BuildError, match="cannot make a project") as refused:
        new.plan(tmp_path, name)
    assert refused.value.fix.startswith("nuages init --new ")


def test_new_never_writes_into_something(tmp_path: Path):
    (tmp_path / "shop").mkdir()
    assert new.plan(tmp_path, "shop")
    (tmp_path / "shop/x").touch()
    with pytest.raises(BuildError, match="there is something of that name"):
        new.plan(tmp_path, "shop")
