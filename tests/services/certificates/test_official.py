"""What the authority answers, read back by the library that charms have for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from charmlibs.interfaces.tls_certificates import Mode

from nuages.services import REGISTRY
from nuages.services.certificates import answer
from tests.services.certificates import official
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.pod import Pod, running

AUTHORITY = REGISTRY["self-signed-certificates"]


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pod]:
    with running(AUTHORITY, tmp_path_factory.mktemp("a")) as started:
        yield started


def authority_of(pod: Pod, web: official.Web) -> FakeContext:
    relation = FakeRelation(official.RELATION, answer.ENDPOINT, "tls-certificates", "web")
    relation.app, relation.units = web.app, {"web/0": web.unit}
    context = FakeContext(pod.client, unit="self-signed-certificates/0")
    context.all_relations = [relation]
    asyncio.run(AUTHORITY.hook(context))
    assert context.status == ("active", "")
    return context


def said(context: FakeContext) -> dict[str, str]:
    (relation,) = context.all_relations
    return relation.own


@pytest.mark.parametrize("mode", list(Mode), ids=[mode.name for mode in Mode])
def test_the_library_gets_what_it_asks_for(pod: Pod, mode: Mode) -> None:
    web = official.Web(mode)
    assert bool(web.unit.get(answer.REQUESTS)) == (mode is not Mode.APP)
    assert bool(web.app.get(answer.REQUESTS)) == (mode is not Mode.UNIT)
    context = authority_of(pod, web)
    unit, app, told = web.hear(said(context))
    wanted = {Mode.UNIT: (1, 0), Mode.APP: (0, 1)}.get(mode, (1, 1))
    assert (len(unit), len(app)) == wanted
    assert sorted(told) == sorted(["web-0.example"] * wanted[0] + ["web.example"] * wanted[1])
    shown = dict(asyncio.run(AUTHORITY.action(context, "get-ca-certificate", {})))["ca-certificate"]
    for (provided, key), request in [*((one, official.UNIT) for one in unit), *((one, official.APP) for one in app)]:
        assert provided.certificate.matches_private_key(key)
        assert provided.certificate.sans_dns == request.sans_dns
        assert (provided.certificate.sans_ip or frozenset()) == (request.sans_ip or frozenset())
        assert not provided.certificate.is_ca
        assert str(provided.ca) == shown.strip()
        assert provided.chain == [provided.certificate, provided.ca]
        assert not provided.revoked


def test_the_library_follows_a_new_authority(pod: Pod) -> None:
    web = official.Web(Mode.UNIT)
    context = authority_of(pod, web)
    ((before, _),), _, _ = web.hear(said(context))
    asyncio.run(AUTHORITY.action(context, "rotate-private-key", {}))
    ((after, key),), _, told = web.hear(said(context))
    assert after.ca != before.ca
    assert after.certificate.matches_private_key(key)
    assert told == ["web-0.example"]


def test_who_asks_for_nothing_any_more_has_nothing(pod: Pod) -> None:
    web = official.Web(Mode.UNIT)
    context = authority_of(pod, web)
    (relation,) = context.all_relations
    relation.units = {"web/0": {}}
    asyncio.run(AUTHORITY.hook(context))
    assert answer.CERTIFICATES not in relation.own


def test_our_own_request_is_the_librarys(pod: Pod) -> None:
    """Field by field: what our servers write and what the library writes."""
    theirs = json.loads(official.Web(Mode.UNIT).unit[answer.REQUESTS])
    ours = json.loads(answer.ask("CSR")[answer.REQUESTS])
    assert [{**entry, "certificate_signing_request": "CSR"} for entry in theirs] == ours
