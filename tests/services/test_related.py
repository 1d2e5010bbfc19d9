"""Whose pod an address is."""

from __future__ import annotations

import os
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from nuages.engine.pods import names
from nuages.services import related

HOSTS = """127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
10.77.0.2\tnotes-0.notes-endpoints.dev.svc.cluster.local notes-0 notes-0.notes-endpoints.dev.svc notes-0.notes-endpoints
10.77.0.3\tredis-k8s-0.redis-k8s-endpoints redis-k8s-0 redis-k8s redis-k8s.dev # redis-k8s-1.redis-k8s-endpoints
10.77.0.4\tother-10.other-endpoints other
10.77.0.5\tnotes-1.notes-endpoints notes-1
"""


def test_units_are_known_by_their_names() -> None:
    assert related.owners(HOSTS) == {
        "10.77.0.2": "notes",
        "10.77.0.3": "redis-k8s",
        "10.77.0.4": "other",
        "10.77.0.5": "notes",
    }


def test_a_name_that_only_looks_like_one_is_none() -> None:
    assert (
        related.owners("10.0.0.1 notes notes-0 notes-0.other-endpoints x.notes-0.notes-endpoints\n10.0.0.2\n\n") == {}
    )


def test_what_the_engine_writes_is_understood() -> None:
    own = {"10.77.0.9": ["my-app-3.my-app-endpoints.dev.svc.cluster.local", "my-app-3", "my-app-3.my-app-endpoints"]}
    given = {"10.77.0.9": ["my-app.dev.svc.cluster.local", "my-app"]}
    assert related.owners(names.hosts(names.merged(own, given))) == {"10.77.0.9": "my-app"}


@given(st.text())
def test_no_text_raises(text: str) -> None:
    related.owners(text)


def test_a_new_pod_is_known_at_once_and_one_that_went_is_not(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text(HOSTS)
    pods = related.Pods(str(path))
    assert [pods.application(address) for address in ("10.77.0.2", "10.77.0.6", "")] == ["notes", "", ""]
    path.write_text("10.77.0.6\tnotes-0.notes-endpoints\n")
    assert [pods.application(address) for address in ("10.77.0.2", "10.77.0.6")] == ["", "notes"]
    old = time.time() - 3600
    for number in (7, 8):  # also in a file that is kept in mind
        path.write_text(f"10.77.0.{number}\tnotes-0.notes-endpoints\n")
        os.utime(path, (old + number, old + number))
        assert pods.application(f"10.77.0.{number}") == "notes"
    assert pods.application("10.77.0.7") == ""
