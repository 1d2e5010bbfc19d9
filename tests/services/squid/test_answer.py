from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuages.charm.interfaces import http_proxy as charm_side
from nuages.charm.interfaces.base import NotReady
from nuages.services.driver import Refused
from nuages.services.passwords import Earlier, Passwords
from nuages.services.squid import access, answer
from nuages.services.squid.answer import Place, Request
from tests.charm.interfaces.examples import example

ID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
OTHER = "0fa85f64-5717-4562-b3fc-2c963f66afa6"
EVERYWHERE = (Place("*", 80), Place("*", 443))
URL = "http://squid.internal:3128"


def parse(*requests: object, addresses: tuple[str, ...] = ("10.77.0.5",)) -> tuple[Request, ...]:
    return answer.parse(3, "notes", {"requests": json.dumps(requests)}, addresses, EVERYWHERE)


def test_a_django_charms_request_is_answered_with_a_user_of_its_own() -> None:
    (request,) = parse({"auth": [], "domains": [], "requirer": ID})
    assert request == Request(3, ID, "ready", "userpass", EVERYWHERE)
    assert request.user == "u3-3ro80f2da043yl2tsxbcr9y1y"
    assert int(request.user.removeprefix("u3-"), 36) == uuid.UUID(ID).int
    # The provider's databag of relation interface http_proxy, as its library writes it.
    assert answer.answer([request], URL, {ID: "secret:d2fffffffffffffffff0"}) == {
        "responses": '[{"auth": "userpass", "http_proxy": "http://squid.internal:3128", '
        '"https_proxy": "http://squid.internal:3128", '
        '"requirer": "3fa85f64-5717-4562-b3fc-2c963f66afa6", "status": "ready", '
        '"user": "secret:d2fffffffffffffffff0"}]'
    }


def test_our_own_charm_reads_it() -> None:
    requests = parse({"auth": [], "domains": [], "requirer": ID})
    uri = "secret:d2fffffffffffffffff0"
    relation = example("http-proxy", bag=answer.answer(requests, URL, {ID: uri}))
    value = charm_side.parse(relation._replace(secrets={uri: {"username": "u", "password": "pw"}}))
    assert not isinstance(value, NotReady), value
    found = {variable.name: variable.value for variable in value.variables}
    assert found["http_proxy"] == found["HTTPS_PROXY"] == "http://u:pw@squid.internal:3128"


def test_hosts_ways_and_addresses_that_a_request_names() -> None:
    (request,) = parse(
        {"requirer": ID, "domains": ["example.com", "b.org:8443"], "auth": ["none", "srcip", "userpass"]}
    )
    assert request.method == "userpass"
    assert request.places == (Place("b.org", 8443), Place("example.com", 80), Place("example.com", 443))
    (request,) = parse({"requirer": ID, "domains": ["a.org"], "auth": ["srcip", "none"]})
    assert (request.method, request.sources, request.user) == ("srcip", ("10.77.0.5",), "")
    (request,) = parse({"requirer": ID, "domains": ["a.org"], "auth": ["srcip+userpass"], "src_ips": ["10.1.1.1"]})
    assert (request.sources, bool(request.user)) == (("10.1.1.1",), True)
    (request,) = parse({"requirer": ID, "domains": ["a.org"], "auth": ["none"]})
    assert answer.answer([request], URL, {}) == {
        "responses": json.dumps(
            [{"auth": "none", "http_proxy": URL, "https_proxy": URL, "requirer": ID, "status": "ready"}]
        )
    }


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"domains": ["a b"], "auth": []}, "invalid"),
        ({"domains": "a.org", "auth": []}, "invalid"),
        ({"domains": [], "auth": None}, "invalid"),
        ({"domains": [], "auth": ["digest"]}, "unsupported"),
        ({"domains": [], "auth": ["srcip"], "src_ips": ["10.0.0.0/8"]}, "unsupported"),
        ({"domains": [], "auth": [], "requirer": "not-a-uuid"}, "invalid"),
        ({"domains": [], "auth": [], "requirer": "3fa85f64-5717-1562-b3fc-2c963f66afa6"}, "invalid"),
    ],
)
def test_a_request_that_cannot_be_served_is_told_so(fields: dict[str, Any], status: str) -> None:
    (request,) = parse({"requirer": ID} | fields)
    assert request.status == status
    (said,) = json.loads(answer.answer([request], URL, {})["responses"])
    assert said == {"requirer": request.id, "status": status}


@pytest.mark.parametrize(
    "text", ["{", "{}", "[1]", '[{"auth": []}]', f'[{{"requirer": "{ID}"}}, {{"requirer": "{ID}"}}]']
)
def test_requests_that_cannot_be_told_apart_are_refused(text: str) -> None:
    with pytest.raises(Refused, match="notes sent"):
        answer.parse(3, "notes", {"requests": text}, (), EVERYWHERE)


def test_who_has_not_asked_gets_nothing() -> None:
    assert answer.parse(3, "notes", {}, (), EVERYWHERE) == ()
    assert answer.answer((), URL, {}) == {}
    assert answer.answered({}) == ()


def test_answers_are_in_the_order_of_their_uuids() -> None:
    requests = parse(*({"requirer": one, "domains": [], "auth": ["none"]} for one in (ID, OTHER)))
    assert answer.answered(answer.answer(requests, URL, {})) == (OTHER, ID)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("Example.COM:81", (Place("example.com", 81),)),
        ("[::1]:80", (Place("[::1]", 80),)),
        ("::1", (Place("[::1]", 80), Place("[::1]", 443))),
        ("10.0.0.1", (Place("10.0.0.1", 80), Place("10.0.0.1", 443))),
        ("a:", None),
        ("a:0", None),
        ("a:70000", None),
        ("-a", None),
        ("a/b", None),
        ("[::1", None),
        ("[10.0.0.1]", None),
        ("*", None),
        ("", None),
    ],
)
def test_hosts(word: str, found: tuple[Place, ...] | None) -> None:
    assert answer.places([word]) == found


@given(st.text())
def test_no_host_has_a_space_or_more_than_one_line(word: str) -> None:
    for place in answer.places([word]) or ():
        assert not set(place.host) & set(" \t\r\n*-") or "-" in place.host


def test_the_files_of_squids_helpers() -> None:
    (request,) = parse({"auth": [], "domains": [], "requirer": ID})
    (open_,) = parse({"auth": ["srcip"], "domains": ["a.org:80"], "requirer": OTHER})
    pair = Passwords("new", (Earlier("old", 12.9), Earlier("oldest", 7.2)))
    members = [access.Member(request, pair), access.Member(open_, None)]
    user = request.user
    assert access.users(members) == (
        f"{user} 11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437 0\n"
        f"{user} cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4 12\n"
        f"{user} ee6e80fdce6a5ffd2c3c2a1eb521c2876633c9a0ccac6014d9254b9832b682d3 7\n"
    )
    assert access.rules(members, [Place("localhost", 8099)]) == (
        f"{user} - * 80\n{user} - * 443\n{user} - localhost 8099\n- 10.77.0.5 a.org 80\n"
    )
