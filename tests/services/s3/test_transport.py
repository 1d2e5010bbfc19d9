"""From plain HTTP to TLS and back, and from one authority to the next: what is told, served and trusted when."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from nuages.services.passwords import GRACE
from nuages.services.s3.transport import PLAIN, Transport, parse


def test_at_first_it_is_plain() -> None:
    first = parse("")
    assert (first.tls, first.plain, first.secure, first.chain, first.settled) == (False, True, False, (), False)
    assert first.then(PLAIN, 100.0, told=True) is first


def test_to_tls_and_back() -> None:
    secure = Transport().then("A", 100.0, told=True)
    assert (secure.tls, secure.plain, secure.secure, secure.chain) == (True, True, True, ("A",))
    assert secure.then("A", 100.0 + GRACE - 1, told=True) == secure
    later = secure.then("A", 100.0 + GRACE, told=True)
    assert (later.plain, later.secure, later.chain, later.settled) == (False, True, ("A",), True)
    back = later.then(PLAIN, 500.0, told=True)
    assert (back.tls, back.plain, back.secure, back.chain) == (False, True, True, ())
    assert not back.then(PLAIN, 500.0 + GRACE, told=True).secure


def test_nobody_has_heard_anything() -> None:
    assert not Transport().then("A", 100.0, told=False).plain


def test_another_authority() -> None:
    """Its certificate is loaded when all trust it; who has heard it trusts both meanwhile."""
    first = replace(Transport("A"), loaded="a", signer="A")
    both = first.then("B", 100.0, told=True)
    assert (both.chain, both.trusted, both.settled) == (("B", "A"), ("B", "A"), False)
    third = both.then("C", 130.0, told=True)
    assert third.chain == ("C", "B", "A")
    assert third.then("C", 130.0 + GRACE - 1, told=True).chain == ("C", "B", "A")
    settled = third.then("C", 130.0 + GRACE, told=True)
    assert (settled.chain, settled.settled) == (("C",), True)
    assert settled.trusted == ("C", "A"), "the server still has the first one's certificate"
    assert replace(settled, loaded="c", signer="C").trusted == ("C",)


@given(st.lists(st.tuples(st.sampled_from([PLAIN, "A", "B"]), st.floats(0, 200)), max_size=8))
def test_what_was_told_is_good_for_as_long_as_a_password_would_be(changes: list[tuple[str, float]]) -> None:
    now, held, before = 0.0, Transport(), [(0.0, Transport())]
    for authority, seconds in changes:
        now += seconds
        held = held.then(authority, now, told=True)
        assert parse(held.text()) == held
        assert held.authority == authority
        for until, earlier in before:
            if now < until:
                assert held.plain if not earlier.tls else held.secure
        before = [(now + GRACE if one.authority == before[-1][1].authority else end, one) for end, one in before]
        before.append((now + GRACE, held))
