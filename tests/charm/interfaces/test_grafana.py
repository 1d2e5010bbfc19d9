"""Grafana: dashboards as its charm takes them, the same text as long as they are the same."""

import base64
import json
import lzma
import uuid
from typing import Any

from cosl.grafana_dashboard import DashboardPath40UID
from cosl.utils import LZMABase64

from nuages.charm.facts import Custom
from nuages.charm.interfaces import grafana
from nuages.charm.observability import dashboards
from tests.charm.interfaces.examples import THOROUGH, example
from tests.charm.interfaces.hostile import check
from tests.charm.interfaces.test_examples import NAMED
from tests.charm.made import facts


def published(**changes: Any) -> dict[str, Any]:
    publication = grafana.publish(facts(**{**NAMED, **changes}), example("grafana-dashboard"), "")
    return json.loads(publication.app["dashboards"])


def test_databag_is_that_of_the_reference() -> None:
    found = published()
    template = found["templates"]["file:django"]
    content = json.loads(lzma.decompress(base64.b64decode(template.pop("content"))))
    assert template == {
        "charm": "django-k8s",
        "juju_topology": {
            "model": "mymodel",
            "model_uuid": "4d2a3c8e-0f4c-4b9e-8b1a-3f5f6d7e8c9a",
            "application": "myapp",
            "unit": "myapp/0",
        },
        "inject_dropdowns": True,
        "dashboard_alt_uid": "7c3588da6f75c3aa",
    }  # fmt: skip
    assert content["uid"] == "862a97a4c802c1bcb32978aff4d137629eae3bf7"
    assert "charm: django-k8s" in content["tags"]
    assert content["panels"] == dashboards.builtin()["panels"]
    assert str(uuid.UUID(found["uuid"])) == found["uuid"]


def test_cosl_reads_it() -> None:
    for template in published(custom=Custom(grafana_dashboards={"custom_x.json": {"title": "X"}}))[
        "templates"
    ].values():
        content = json.loads(LZMABase64.decompress(template["content"]))
        assert DashboardPath40UID.is_valid(content["uid"])
    assert content["uid"] == DashboardPath40UID.generate("django-k8s", "cos_merged/grafana_dashboards/custom_x.json")


def test_same_dashboards_give_the_same_text_and_others_another() -> None:
    assert published() == published()
    other = published(custom=Custom(grafana_dashboards={"custom_x.json": {"title": "X"}}))
    assert list(other["templates"]) == ["file:django", "file:custom_x"]
    assert other["uuid"] != published()["uuid"]


def test_identity_that_a_dashboard_has_is_kept_and_nothing_else_is_lost() -> None:
    own = {"uid": "ab" * 20, "title": "Ünï", "tags": ["x", "charm: django-k8s"], "panels": [{"id": 1}]}
    found = published(custom=Custom(grafana_dashboards={"custom_own.json": own}))["templates"]["file:custom_own"]
    assert json.loads(LZMABase64.decompress(found["content"])) == own


@THOROUGH
def test_nothing_in_a_databag_raises(examples: int) -> None:
    check("grafana_dashboard", ("event",), min(examples, 1000))
