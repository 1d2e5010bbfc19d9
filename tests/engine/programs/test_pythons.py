import sys
from pathlib import Path

import pytest

from nuages.engine.programs import ProgramError, pythons
from nuages.engine.programs.pythons import Python

OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"


class TestOrder:
    INSTALLED = tuple(
        (version, Path(folder) / f"python{version}")
        for folder in ("/home/x", "/usr/bin")
        for version in ("3.9", "3.10", "3.12", "3.13")
    )

    def test_the_preferred_minor_comes_first_then_newer_before_older(self):
        names = [path.name for path in pythons.ordered(self.INSTALLED, "3.12", "3.10")]
        assert names == ["python3.12", "python3.12", "python3.13", "python3.13", "python3.10", "python3.10"]

    def test_of_equals_the_systems_own_which_needs_no_mount(self):
        assert pythons.ordered(self.INSTALLED, "3.12", "3.10")[0] == Path("/usr/bin/python3.12")

    def test_what_is_too_old_is_not_even_looked_at(self):
        assert pythons.ordered(self.INSTALLED, "3.9", "3.13") == [
            Path("/usr/bin/python3.13"),
            Path("/home/x/python3.13"),
        ]


def test_the_running_one_is_found_and_runs():
    found = pythons.find(OWN)
    assert found.version == OWN
    assert found.executable.is_file()
    assert not found.executable.is_symlink()
    assert (found.prefix / "lib").is_dir()


def test_without_the_preferred_one_the_newest_is_taken():
    assert tuple(map(int, pythons.find("3.99").version.split("."))) >= (3, 10)


def test_none_is_an_error_with_a_mend():
    with pytest.raises(ProgramError, match=r"cannot find Python 3\.99, nor any other from 3\.99 on") as caught:
        pythons.find("3.99", minimum="3.99")
    assert "uv python install 3.99" in caught.value.fix


def test_a_broken_one_is_passed_over(tmp_path, monkeypatch):
    for version, body in (("3.12", "#!/bin/sh\nexit 1\n"), ("3.13", "not a program"), ("3.11", "#!/nowhere\n")):
        path = tmp_path / f"python{version}"
        path.write_text(body)
        path.chmod(0o755)
        assert pythons.inspect(path) is None
    assert pythons.inspect(tmp_path / "missing") is None


def test_a_link_leads_to_the_real_one(tmp_path):
    link = tmp_path / f"python{OWN}"
    link.symlink_to(sys.executable)
    assert pythons.inspect(link) == pythons.inspect(Path(sys.executable))


def test_only_what_is_not_below_usr_is_mounted():
    assert Python("3.12", Path("/usr/bin/python3.12"), Path("/usr")).mounts() == ()
    [mount] = Python("3.12", Path("/home/x/py/bin/python3.12"), Path("/home/x/py")).mounts()
    assert (str(mount.source), mount.target, mount.writable) == ("/home/x/py", "/home/x/py", False)
