import os
import stat
from pathlib import Path

import pytest

from nuages.engine.sandbox import roots
from nuages.engine.sandbox.errors import SandboxError
from nuages.engine.sandbox.image import Image


@pytest.fixture
def image(tmp_path):
    source = tmp_path / "image"
    source.mkdir()
    return Image(source)


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_small_image_is_completed(image, tmp_path):
    root = tmp_path / "root"
    roots.make(image, root, [("/srv/python/lib", True), ("/charm/bin/pebble", False)])
    assert (root / "bin").readlink() == Path("/bin").readlink()
    assert "_daemon_:x:584792:584792:" in (root / "etc/passwd").read_text()
    assert (mode(root / "tmp"), mode(root / "root"), mode(root / "srv")) == (0o1777, 0o700, 0o755)
    assert (root / "srv/python/lib").is_dir()
    assert (root / "charm/bin/pebble").is_file()


def test_what_an_image_has_it_keeps(image, tmp_path):
    (image.root / "bin").mkdir()
    (image.root / "bin" / "python3").symlink_to("/usr/bin/python3")
    (image.root / "etc").mkdir()
    (image.root / "etc" / "passwd").write_text("root:x:0:0::/:/bin/sh\n")
    root = tmp_path / "root"
    roots.make(image, root, [])
    assert [path.name for path in (root / "bin").iterdir()] == ["python3"]
    assert (root / "etc/passwd").read_text() == "root:x:0:0::/:/bin/sh\n"


def test_a_strict_umask_changes_nothing(image, tmp_path):
    before = os.umask(0o077)
    try:
        roots.make(image, tmp_path / "root", [("/a/b/c", True)])
    finally:
        os.umask(before)
    for name in (".", "a", "a/b", "a/b/c", "var", "etc"):
        assert mode(tmp_path / "root" / name) == 0o755
    assert mode(tmp_path / "root/etc/passwd") == 0o644


def test_links_of_an_image_lead_nowhere_on_the_host(image, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (image.root / "etc").symlink_to(outside)
    (image.root / "srv").symlink_to(outside)
    roots.make(image, tmp_path / "root", [("/srv/app/x", True), ("/etc/hosts", False)])
    assert list(outside.iterdir()) == []


def test_a_python_below_roots_home_can_be_entered_by_all(image, tmp_path):
    (image.root / "root").mkdir(mode=0o700)
    roots.make(image, tmp_path / "root", [("/root/pythons/3.12", True)])
    assert mode(tmp_path / "root/root") & 0o011 == 0o011


@pytest.mark.parametrize("target", ["/../x", "a/../../b"])
def test_mounts_stay_inside(image, tmp_path, target):
    with pytest.raises(SandboxError, match=r"`\.\.`"):
        roots.make(image, tmp_path / "root", [(target, True)])


def test_a_file_where_a_directory_is_wanted_is_an_error(image, tmp_path):
    (image.root / "srv").write_text("")
    with pytest.raises(SandboxError, match="the image has a file there"):
        roots.make(image, tmp_path / "root", [("/srv", True)])
