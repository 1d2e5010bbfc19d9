import os
import time

from nuages.build.files import placed
from nuages.engine.programs.leftovers import DAY, sweep


def made(path, age):
    path.mkdir(parents=True)
    (path / "file").write_text("x")
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_only_old_hidden_folders_go(tmp_path):
    old, fresh = made(tmp_path / ".old", DAY + 60), made(tmp_path / ".fresh", DAY - 600)
    kept = made(tmp_path / "complete", 10 * DAY)
    (tmp_path / ".file").write_text("x")
    os.utime(tmp_path / ".file", (0, 0))
    (tmp_path / ".link").symlink_to(kept)
    sweep(tmp_path)
    assert not old.exists()
    assert fresh.exists() and kept.exists() and (tmp_path / ".file").exists() and (tmp_path / ".link").exists()
    sweep(tmp_path / "none")


def test_the_next_build_sweeps(tmp_path):
    """What a build that was killed with -9 has left behind is gone after a later one."""
    left = made(tmp_path / "images" / ".deadbeef-x1", 2 * DAY)
    with placed(tmp_path / "images" / "0123") as directory:
        (directory / "image.json").write_text("{}")
    assert not left.exists()
    assert (tmp_path / "images" / "0123" / "image.json").exists()
