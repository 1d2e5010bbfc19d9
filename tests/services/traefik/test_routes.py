from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from nuages.services.traefik import routes
from nuages.services.traefik.ingress import Requirer

NOTES = Requirer(3, "dev", "notes", 8000, ("notes-0", "notes-1"), strip_prefix=True)


def test_the_first_application_is_reached_under_localhost_and_any_name_of_the_users_own() -> None:
    http = routes.document([NOTES], {3: "http://localhost:8000/"})["http"]
    assert http["routers"]["dev-notes"] == {
        "entryPoints": ["web"],
        "rule": "PathPrefix(`/`)",
        "priority": 1,
        "middlewares": ["request-id", "dev-notes-retry"],
        "service": "dev-notes",
    }
    assert http["services"] == {
        "dev-notes": {"loadBalancer": {"servers": [{"url": "http://notes-0:8000"}, {"url": "http://notes-1:8000"}]}}
    }
    assert http["middlewares"]["dev-notes-retry"]["retry"]["attempts"] == 4
    assert http["routers"]["canonical-name"]["rule"].startswith("Host(`127.0.0.1`) || Host(`::1`)")


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("http://127.0.0.1:9000/x?y=1", "http://localhost:9000/x?y=1"),
        ("http://[::1]:8000/", "http://localhost:8000/"),
        ("http://127.0.0.1/", "http://localhost/"),
        ("http://0.0.0.0:8000/a/b", "http://localhost:8000/a/b"),
    ],
)
def test_another_loopback_name_is_redirected_and_its_port_left_alone(url: str, location: str) -> None:
    redirect = routes.document([NOTES], {3: "http://localhost:8000/"})["http"]["middlewares"]["canonical-name"]
    pattern, replacement = redirect["redirectRegex"]["regex"], redirect["redirectRegex"]["replacement"]
    as_python = re.sub(r"\$\{(\d)\}", r"\\\1", replacement)
    assert re.sub(pattern, as_python, url) == location


def test_a_further_application_has_a_name_and_no_redirect() -> None:
    http = routes.document([NOTES], {3: "http://notes.localhost:8000/"})["http"]
    assert set(http["routers"]) == {"dev-notes"}
    assert http["routers"]["dev-notes"]["rule"] == "Host(`notes.localhost`)"
    assert "priority" not in http["routers"]["dev-notes"]


def test_the_prefix_is_stripped_in_path_mode_only_where_asked_for() -> None:
    http = routes.document([NOTES], {3: "http://example.org/dev-notes"})["http"]
    assert http["routers"]["dev-notes"]["rule"] == "Path(`/dev-notes`) || PathPrefix(`/dev-notes/`)"
    assert http["middlewares"]["dev-notes-strip"] == {"stripPrefix": {"prefixes": ["/dev-notes"]}}
    assert http["routers"]["dev-notes"]["middlewares"][-1] == "dev-notes-strip"
    kept = Requirer(3, "dev", "notes", 8000, ("notes-0",))
    assert "dev-notes-strip" not in routes.document([kept], {3: "http://example.org/dev-notes"})["http"]["middlewares"]


def test_an_ipv6_host_and_health_checks() -> None:
    six = Requirer(3, "dev", "notes", 8000, ("fd00::2",), health={"path": "/healthz"})
    balancer: dict[str, Any] = routes.document([six], {3: "http://localhost/"})["http"]["services"]["dev-notes"]
    assert balancer["loadBalancer"] == {
        "servers": [{"url": "http://[fd00::2]:8000"}],
        "healthCheck": {"path": "/healthz"},
    }


def test_without_applications_the_document_is_still_one_traefik_takes() -> None:
    assert routes.document([], {}) == {"http": {"middlewares": {"request-id": {"plugin": {"requestid": {}}}}}}


def test_https_is_beside_http_and_in_its_place_where_asked_for() -> None:
    secured = routes.Secured("CERT", "/key.pem", 8443)
    found = routes.document([NOTES], {3: "https://example.org:8443/"}, secured=secured)
    routers = found["http"]["routers"]
    assert routers["dev-notes-secure"]["entryPoints"] == ["websecure"]
    assert routers["dev-notes-secure"]["tls"] == {}
    assert routers["dev-notes"]["middlewares"] == ["request-id", "dev-notes-retry"]
    assert found["tls"]["certificates"] == [{"certFile": "CERT", "keyFile": "/key.pem"}]
    redirecting = replace(NOTES, redirect_https=True)
    routers = routes.document([redirecting], {3: "https://example.org:8443/"}, secured=secured)["http"]["routers"]
    assert routers["dev-notes"]["middlewares"] == ["to-https"]
    assert routers["dev-notes-secure"]["middlewares"] == ["request-id", "dev-notes-retry"]


def test_a_port_of_its_own_is_an_entry_point_of_its_own() -> None:
    routers = routes.document([NOTES], {3: "http://localhost:8001/"}, entries={3: "own0"})["http"]["routers"]
    assert set(routers) == {"dev-notes"}
    assert (routers["dev-notes"]["entryPoints"], routers["dev-notes"]["rule"]) == (["own0"], "PathPrefix(`/`)")
