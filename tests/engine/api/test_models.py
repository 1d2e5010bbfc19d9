"""The list of models."""

import asyncio
import json
from dataclasses import replace
from types import SimpleNamespace

from nuages.engine.api.app import Api
from nuages.engine.state import Model


def test_a_model_is_listed_with_the_ports_that_it_keeps():
    web = replace(
        Model("shop", "u"), stopped="down", published={"traefik-k8s/web": 8000, "traefik-k8s/websecure": 8443}
    )
    runners = {"shop": SimpleNamespace(state=web), "bare": SimpleNamespace(state=Model("bare", "v"))}
    daemon = SimpleNamespace(runners=runners, broken={"bad": "no"})
    listed = json.loads(bytes(asyncio.run(Api(daemon).models(None)).body))
    assert [(entry["name"], entry["running"], entry.get("ports")) for entry in listed] == [
        ("bare", True, []),
        ("shop", False, [8000, 8443]),
        ("bad", False, None),
    ]
