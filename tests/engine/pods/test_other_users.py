"""As root, the same tests once more as an ordinary user: with a range of sub-ids, and with one id only."""

from __future__ import annotations

import os
import re
import sys

import pytest

from nuages.engine import programs
from tests.engine.pods import as_user


@pytest.mark.skipif(os.geteuid() != 0, reason="this user's own maps are tested directly")
@pytest.mark.timeout(400)
def test_an_ordinary_user_has_pods_with_sub_ids_and_with_one_id(tmp_path):
    if reason := as_user.available():
        pytest.skip(reason)
    found = programs.ensure("bwrap", "pebble")
    assert found
    modules = [f"tests/engine/pods/{name}.py" for name in ("test_pods", "test_outward", "test_survival")]
    done = as_user.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *modules],
        {"XDG_CACHE_HOME": str(programs.cache_dir().parent), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=as_user.REPOSITORY,
        timeout=390,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for mode in ("range", "single"):
        passed = re.findall(rf"\[{mode}\b.*PASSED", done.stdout)
        if not passed:
            reasons = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
            pytest.skip(f"mode {mode} did not run: {reasons or 'newuidmap is not installed (apt install uidmap)'}")
