from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from nuages.services.certificates.answer import Certificate, Request, answer, answered, ask, requests


def test_requests_of_units_and_application_are_answered_once() -> None:
    bags = [ask("CSR 1"), ask("CSR 2"), ask("CSR 1\n")]
    assert requests(bags) == (Request("CSR 1"), Request("CSR 2"))


def test_an_answer_is_read_back() -> None:
    given = Certificate("CSR 1", "CERT", "CA")
    bag = answer([given])
    assert json.loads(bag["certificates"]) == [
        {"ca": "CA", "certificate_signing_request": "CSR 1", "certificate": "CERT", "chain": ["CERT", "CA"]}
    ]
    assert answered(bag) == {"CSR 1": given}


def test_no_request_is_no_answer() -> None:
    assert answer([]) == {}


def test_a_revoked_certificate_is_none() -> None:
    entry = {"ca": "CA", "certificate_signing_request": "CSR 1", "certificate": "CERT", "revoked": True}
    assert answered({"certificates": json.dumps([entry])}) == {}


@given(st.dictionaries(st.sampled_from(["certificate_signing_requests", "certificates"]), st.text()))
def test_any_databag_is_read(bag: dict[str, str]) -> None:
    assert isinstance(requests([bag]), tuple)
    assert isinstance(answered(bag), dict)
