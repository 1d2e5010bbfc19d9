"""The real openssl in a container of its own, and a server that asks it."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from nuages.services import REGISTRY
from nuages.services.certificates import answer
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.pod import Pod, running

AUTHORITY = REGISTRY["self-signed-certificates"]
POSTGRESQL = REGISTRY["postgresql-k8s"]


def request(name: str, *, ca: bool = False) -> str:
    key = rsa.generate_private_key(65537, 2048)
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    if ca:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pod]:
    with running(AUTHORITY, tmp_path_factory.mktemp("a")) as started:
        yield started


def authority_of(pod: Pod, *relations: FakeRelation) -> FakeContext:
    context = FakeContext(pod.client, unit="self-signed-certificates/0", hook="certificates-pebble-ready")
    context.all_relations = list(relations)
    asyncio.run(AUTHORITY.hook(context))
    return context


def asking(number: int, *csrs: str) -> FakeRelation:
    return FakeRelation(number, answer.ENDPOINT, units={f"web/{n}": answer.ask(csr) for n, csr in enumerate(csrs)})


def test_it_signs_what_units_ask_for_and_only_once(pod: Pod) -> None:
    relation = asking(1, request("one.example"), request("two.example"))
    context = authority_of(pod, relation)
    assert context.status == ("active", "")
    first = dict(relation.own)
    issued = [x509.load_pem_x509_certificate(c.certificate.encode()) for c in answer.answered(first).values()]
    names = [c.extensions.get_extension_for_class(x509.SubjectAlternativeName).value for c in issued]
    assert [n.get_values_for_type(x509.DNSName) for n in names] == [["one.example"], ["two.example"]]
    shown = dict(asyncio.run(AUTHORITY.action(context, "get-ca-certificate", {})))["ca-certificate"]
    authority = x509.load_pem_x509_certificate(shown.encode())
    for certificate in issued:
        certificate.verify_directly_issued_by(authority)
    asyncio.run(AUTHORITY.hook(context))
    assert (relation.own, relation.writes) == (first, 1)


def test_a_request_cannot_make_itself_an_authority(pod: Pod) -> None:
    relation = asking(1, request("evil.example", ca=True))
    authority_of(pod, relation)
    (certificate,) = answer.answered(relation.own).values()
    constraints = x509.load_pem_x509_certificate(certificate.certificate.encode()).extensions
    assert not constraints.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_new_authority_signs_everything_anew(pod: Pod) -> None:
    relation = asking(1, request("one.example"))
    context = authority_of(pod, relation)
    before = json.loads(relation.own["certificates"])
    asyncio.run(AUTHORITY.action(context, "rotate-private-key", {}))
    after = json.loads(relation.own["certificates"])
    assert before[0]["ca"] != after[0]["ca"]
    context.config = {"ca-common-name": "Ours"}
    asyncio.run(AUTHORITY.hook(context))
    named = x509.load_pem_x509_certificate(json.loads(relation.own["certificates"])[0]["ca"].encode())
    assert named.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "Ours"


def test_a_broken_request_blocks(pod: Pod) -> None:
    relation = asking(1, "no request")
    assert authority_of(pod, relation).status[0] == "blocked"


@pytest.mark.parametrize(
    "config", [{"ca-country-name": "Germany"}, {"ca-common-name": "$(id)"}, {"root-ca-validity": 0}]
)
def test_options_that_cannot_be_block(pod: Pod, config: dict[str, object]) -> None:
    context = FakeContext(pod.client, unit="self-signed-certificates/0", hook="config-changed", config=config)
    asyncio.run(AUTHORITY.hook(context))
    assert context.status[0] == "blocked"
    assert next(iter(config)) in context.status[1]


def test_postgresql_serves_tls_with_its_certificate(pod: Pod, tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(POSTGRESQL, tmp_path_factory.mktemp("p")) as server:
        secrets = json.dumps(["username", "password", "uris", "tls", "tls-ca"])
        notes = FakeRelation(3, app={"database": "notes", "requested-secrets": secrets})
        certificates = FakeRelation(5, answer.ENDPOINT, remote_application="self-signed-certificates")
        context = FakeContext(server.client, hook="postgresql-pebble-ready", address="127.0.0.2")
        context.all_relations = [notes, certificates]
        asyncio.run(POSTGRESQL.hook(context))
        assert context.content(notes.own["secret-tls"]) == {"tls": "False"}
        asked = FakeRelation(1, answer.ENDPOINT, units={"postgresql-k8s/0": dict(certificates.own_unit)})
        authority_of(pod, asked)
        certificates.app = dict(asked.own)
        context.hook = "certificates-relation-changed"
        asyncio.run(POSTGRESQL.hook(context))
        told = context.content(notes.own["secret-tls"])
        assert told["tls"] == "True"
        ssl.create_default_context(cadata=told["tls-ca"])  # it is a certificate
        query = "SELECT ssl_is_used FROM (SELECT 'served' AS ssl_is_used) t"
        uri = context.content(notes.own["secret-user"])["uris"].replace(notes.own["endpoints"], "127.0.0.2:5432")
        # Without TLS it goes on as before; psql here has none.
        assert server.run("psql", "-At", uri, "-c", query).strip() == "served"
        ca = Path(server.root / "tmp/ca.pem")
        ca.write_text(told["tls-ca"])
        assert "postgresql-k8s-primary.dev.svc.cluster.local" in server.python(_CLIENT)
        context.all_relations.remove(certificates)
        context.hook = "certificates-relation-broken"
        asyncio.run(POSTGRESQL.hook(context))
        assert context.content(notes.own["secret-tls"]) == {"tls": "False"}
        assert not server.client.get_services(["tls"])[0].is_running()
        uri = uri.replace("127.0.0.2", "127.0.0.1")
        assert server.run("psql", "-At", uri, "-c", query).strip() == "served"


_CLIENT = """
import socket, ssl, struct
plain = socket.create_connection(("127.0.0.2", 5432), 10)
plain.sendall(struct.pack("!II", 8, 80877103))
assert plain.recv(1) == b"S"
context = ssl.create_default_context(cafile="/tmp/ca.pem")
name = "postgresql-k8s-primary.dev.svc.cluster.local"
secure = context.wrap_socket(plain, server_hostname=name)
body = struct.pack("!I", 196608) + b"user\\0nobody\\0database\\0notes\\0\\0"
secure.sendall(struct.pack("!I", len(body) + 4) + body)
kind = secure.recv(1)
assert kind in (b"R", b"E"), kind
print(secure.getpeercert()["subjectAltName"])
"""
