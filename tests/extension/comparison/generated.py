"""Documents made at random from what people write, right and wrong."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

NAMES = ["greeting", "page-size", "token", "postgresql", "oidc", "ingress", "webserver-port", "django-debug", "metrics",
         "app-x", "logging", "a_b", "grafana-dashboard"]  # fmt: skip
names = st.sampled_from(NAMES)
odd: st.SearchStrategy[Any] = st.sampled_from([None, "", "text", 5, 0.5, True, [], {}, ["a"], {"a": 1}])
"""Values of a kind that may not be expected where they stand."""


def mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Usually `usual`, now and then something odd."""
    return st.integers(0, 19).flatmap(lambda number: odd if number == 0 else usual)


option = st.fixed_dictionaries(
    {"type": st.sampled_from(["string", "int", "float", "boolean", "secret"])},
    optional={"default": st.sampled_from(["x", "", 0, 5, 0.5, True, False]), "optional": st.booleans(),
              "description": st.just("Words.")},
)  # fmt: skip
options = st.dictionaries(names, mostly(option), max_size=3)
endpoint = st.fixed_dictionaries(
    {"interface": st.sampled_from(["postgresql_client", "oauth", "redis", "s3", "http"])},
    optional={"optional": st.booleans(), "limit": st.integers(1, 3)},
)
architecture = st.sampled_from(["amd64", "arm64", "s390x", "all", "x86", "ubuntu@24.04:amd64", "ubuntu@22.04:arm64"])
platform = st.one_of(
    st.none(),
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={
            "build-on": st.one_of(architecture, st.lists(architecture, min_size=1, max_size=2)),
            "build-for": st.one_of(architecture, st.lists(architecture, min_size=1, max_size=1)),
        },
    ),
)
platforms = st.dictionaries(st.one_of(architecture, st.sampled_from(["mine", "amd64"])), platform, max_size=3)
base = st.fixed_dictionaries(
    {"name": st.just("ubuntu"), "channel": st.sampled_from(["22.04", "22.04", "24.04", 22.04])},
    optional={"architectures": st.lists(st.sampled_from(["amd64", "arm64"]), min_size=1, max_size=2, unique=True)},
)
bases = st.lists(
    st.one_of(base, st.fixed_dictionaries({"build-on": st.lists(base, min_size=1, max_size=1),
                                           "run-on": st.lists(base, min_size=1, max_size=1)})),
    min_size=1, max_size=2,
)  # fmt: skip
action = st.fixed_dictionaries({}, optional={"description": st.just("Words."), "params": st.just({"a": {}})})
where = st.one_of(
    st.fixed_dictionaries(
        {"base": st.sampled_from(["ubuntu@22.04", "ubuntu@24.04", "ubuntu@24.04", "ubuntu@26.04", "ubuntu@20.04"]),
         "platforms": st.one_of(st.just({"amd64": None}), platforms)},
        optional={"build-base": st.sampled_from(["ubuntu@22.04", "ubuntu@24.04", "ubuntu@devel"])},
    ),
    st.fixed_dictionaries({"platforms": platforms}),
    st.fixed_dictionaries({"bases": bases}),
)  # fmt: skip


def _document(parts: tuple[dict[str, Any], ...]) -> str:
    document: dict[str, Any] = {}
    for part in parts:
        document.update(part)
    return json.dumps(document, indent=1)


documents = st.tuples(
    st.fixed_dictionaries(
        {
            "name": mostly(st.sampled_from(["notes", "my-notes", "notes-2"])),
            "type": mostly(st.just("charm")),
            "summary": mostly(st.just("Short.")),
            "description": mostly(st.just("Longer.")),
            "extensions": st.just(["django-framework"]),
        }
    ),
    where,
    st.fixed_dictionaries(
        {},
        optional={
            "title": mostly(st.sampled_from(["Notes", "N", 24.04])),
            "version": mostly(st.sampled_from(["1.0", 0.1, "-"])),
            "config": mostly(st.fixed_dictionaries({"options": mostly(options)})),
            "requires": mostly(st.dictionaries(names, mostly(endpoint), max_size=3)),
            "provides": mostly(st.dictionaries(names, mostly(endpoint), max_size=2)),
            "actions": mostly(st.dictionaries(st.sampled_from(["clear", "create-superuser"]), action, max_size=2)),
            "links": mostly(st.dictionaries(st.sampled_from(["website", "contact", "issues", "docs"]),
                                            mostly(st.just("https://example.com/a")), max_size=2)),
            "subordinate": mostly(st.booleans()),
            "terms": mostly(st.just(["be-kind"])),
            "charm-user": mostly(st.sampled_from(["root", "non-root"])),
            "assumes": mostly(st.just(["k8s-api"])),
            "peers": mostly(st.just({"secret-storage": {"interface": "secret-storage"}})),
            "storage": mostly(st.none()),
            "parts": mostly(st.just({"files": {"plugin": "dump", "source": "."}})),
            "license": mostly(st.none()),
            "adopt-info": mostly(st.just("files")),
        },
    ),
).map(_document)  # fmt: skip
