import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nuages.engine.sandbox import diagnosis

PROGRAMS = ["/usr/bin/unshare", "/usr/bin/nsenter", "/usr/bin/bwrap"]
FAILURE = "cannot make the model's namespaces: RTNETLINK answers: Operation not permitted"


@pytest.mark.parametrize(
    ("settings", "contained", "cause", "mend"),
    [
        ({"clone": "0", "apparmor": "1"}, False, "kernel.unprivileged_userns_clone is 0", "sysctl --system"),
        ({"limit": "0"}, False, "user.max_user_namespaces is 0", "user.max_user_namespaces=10000"),
        ({"netlimit": "0"}, False, "user.max_net_namespaces is 0", "user.max_net_namespaces=10000"),
        ({"apparmor": "1", "limit": "6000"}, False, "AppArmor takes the rights", "apparmor_parser -r"),
        ({"apparmor": "0"}, True, "this container may not", "--privileged"),
        ({}, False, "Operation not permitted", "Linux kernel"),
    ],
)
def test_each_cause_has_its_mend(settings, contained, cause, mend):
    error = diagnosis.reason([FAILURE], settings, PROGRAMS, contained=contained)
    assert cause in str(error)
    assert mend in error.fix
    assert "\n" not in str(error)


def test_the_apparmor_mend_is_a_profile_for_three_programs_and_not_the_global_switch():
    error = diagnosis.reason([FAILURE], {"apparmor": "1"}, PROGRAMS, contained=False)
    assert error.code == "apparmor"
    for program in PROGRAMS:
        assert f" {program} flags=(unconfined) {{\n  userns,\n}}" in error.fix
    assert sum(line.startswith("sudo ") for line in error.fix.splitlines()) == 2
    assert "apparmor_restrict" not in error.fix


TRY = """
import sys
from pathlib import Path
from nuages.engine.sandbox.errors import NamespacesError
from nuages.engine.sandbox.namespaces import Namespaces
from nuages.engine.sandbox.users import Mode, UserMap

directory = Path(sys.argv[1])
try:
    Namespaces.create(directory, [UserMap(Mode.SINGLE, ((0, 0, 1),), ((0, 0, 1),))], directory / "log")
except NamespacesError as error:
    print(error, "|", error.fix)
"""


def test_it_is_found_by_trying(tmp_path):
    """A user namespace in which the kernel allows no network namespace: nothing of the host is changed."""
    if not shutil.which("unshare"):
        pytest.skip("unshare is not installed")
    forbid = 'echo 0 > /proc/sys/user/max_net_namespaces; exec "$@"'
    source = Path(__file__).resolve().parents[3] / "src"
    done = subprocess.run(
        ["unshare", "-Ur", "sh", "-ec", forbid, "sh", sys.executable, "-c", TRY, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "unshare failed" in done.stderr:
        pytest.skip(f"no user namespaces here: {done.stderr.strip()}")
    assert done.stdout.startswith("cannot make pods: user.max_net_namespaces is 0"), done.stdout + done.stderr
    assert "sysctl" in done.stdout
