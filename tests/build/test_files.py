"""Placing directories at once, walking, and what a full disk says."""

import errno
from pathlib import Path

import pytest

from nuages.build.errors import BuildError
from nuages.build.files import NEVER, content_digest, fingerprint, placed, walk


def test_placed_all_or_nothing(tmp_path):
    target = tmp_path / "cache/abc"
    with pytest.raises(KeyError), placed(target) as temporary:
        (temporary / "half").touch()
        raise KeyError
    assert list(target.parent.iterdir()) == []
    with placed(target) as temporary:
        (temporary / "whole").touch()
    assert [path.name for path in target.parent.rglob("*")] == ["abc", "whole"]


def test_placed_by_two(tmp_path):
    target = tmp_path / "abc"
    with placed(target) as slow:
        (slow / "file").write_text("slow")
        with placed(target) as fast:
            (fast / "file").write_text("fast")
    assert (target / "file").read_text() == "fast"
    assert [path.name for path in tmp_path.iterdir()] == ["abc"]


def test_a_full_disk_is_named_with_what_is_missing(tmp_path):
    target = tmp_path / "nuages/images/abc"
    with pytest.raises(BuildError) as caught, placed(target):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert f"cannot write to {tmp_path / 'nuages'}: the disk at " in str(caught.value)
    assert "MiB missing" in str(caught.value)
    assert "XDG_CACHE_HOME" in caught.value.fix
    assert not target.exists()


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(BuildError, match="cannot write /x/y: Permission denied"), placed(tmp_path / "abc"):
        raise PermissionError(errno.EACCES, "Permission denied", "/x/y")


def test_walk_is_sorted_skips_and_survives_loops(tmp_path):
    for name in ("b/2.py", "a/1.py", "a/__pycache__/1.pyc", ".git/config", "a/x~"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a/loop").symlink_to(tmp_path)
    (tmp_path / "a/dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "c").symlink_to(tmp_path / "b")
    found = [path.relative_to(tmp_path).as_posix() for path in walk(tmp_path, NEVER)]
    assert found == ["a/1.py", "b/2.py", "c/2.py"]


def test_digests(tmp_path):
    file = tmp_path / "f"
    file.write_text("one")
    named = [("f", file)]
    content, quick = content_digest(named), fingerprint(named)
    assert (content_digest(named), fingerprint(named)) == (content, quick)
    file.write_text("two")
    assert content_digest(named) != content
    assert fingerprint(named) != quick
    file.write_text("one")
    assert content_digest(named) == content
    file.chmod(0o755)
    assert content_digest(named) != content
    assert content_digest([("g", Path(file))]) != content
