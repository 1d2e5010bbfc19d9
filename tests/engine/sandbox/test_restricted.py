"""Ubuntu's restriction of user namespaces, as the kernel's answers: what the user is told when pods cannot be made."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.pods import as_user
from tests.engine.sandbox import restricted

HELPER = restricted.__file__


@pytest.fixture(autouse=True)
def _possible():
    if reason := as_user.available():
        pytest.skip(reason)


def as_user_restricted(kinds, *argv, **environment):
    return as_user.run(
        list(argv),
        {"PYTHONPATH": str(as_user.REPOSITORY / "src"), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        timeout=60,
        cwd=as_user.REPOSITORY,
        within=(sys.executable, HELPER, kinds, "{}"),
    )


@pytest.mark.parametrize(
    ("kinds", "argv", "text"),
    [
        ("mount", ["unshare", "-Ur", "-m", "true"], "Permission denied"),
        ("link", ["unshare", "-Ur", "-n", "ip", "link", "add", "br0", "type", "bridge"], "Operation not permitted"),
    ],
)
def test_the_namespace_is_made_and_gives_no_rights(kinds, argv, text):
    """The filter does what it says, and nothing else: the same commands work without it."""
    refused = as_user_restricted(kinds, *argv)
    assert refused.returncode != 0
    assert text in refused.stderr
    other = {"mount": "link", "link": "mount"}[kinds]
    assert as_user_restricted(other, *argv).returncode == 0


@pytest.mark.parametrize("kinds", ["mount", "link", "mount,link"])
def test_up_prints_the_profile_and_two_lines_and_makes_nothing(kinds, tmp_path):
    tmp_path.chmod(0o755)
    done = as_user_restricted(kinds, sys.executable, "-m", "nuages.cli", "up", "examples/notes")
    lines = done.stderr.splitlines()
    assert done.returncode == 1, done.stderr
    assert lines[0].startswith("error: cannot make pods: AppArmor takes the rights out of namespaces"), done.stderr
    assert lines[1].startswith("fix:   allow it for these three programs only")
    sudo = [line for line in lines if line.startswith("sudo ")]
    assert len(sudo) == sum("sudo " in line for line in lines) == 2
    path = Path(sudo[0].split()[2])
    assert path.parent == Path("/etc/apparmor.d")
    assert sudo[1] == f"sudo apparmor_parser -r {path}"
    block = lines[lines.index(sudo[0]) + 1 : lines.index("END")]
    assert sum(line.startswith("profile ") for line in block) == 3
    assert "apparmor_restrict_unprivileged_userns=0" not in done.stderr
    assert not (done.stdout or "Traceback" in done.stderr)


def test_the_machine_itself_is_left_alone():
    def switch():
        path = restricted.KERNEL / restricted.SWITCH
        return path.read_text() if path.exists() else None

    before = switch()
    as_user_restricted("mount,link", "true")
    assert switch() == before
    assert subprocess.run(["unshare", "-Ur", "-m", "true"], check=False).returncode == 0
