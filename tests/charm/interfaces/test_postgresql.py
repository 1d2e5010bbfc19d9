"""PostgreSQL: what libpq makes of the URL."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from ops import testing
from psycopg import conninfo

from nuages.charm.interfaces.base import NotReady
from tests.charm.conftest import NotesCharm, World, container, database, peer
from tests.charm.interfaces.certificates import Authority, authority
from tests.charm.interfaces.examples import example, parse, variables

REACHED = "the server has the credentials now"


def test_the_driver_understands_the_url() -> None:
    found = variables(example("postgresql-by-tls"))
    parts = conninfo.conninfo_to_dict(found["POSTGRESQL_DB_CONNECT_STRING"])
    assert parts["sslmode"] == "verify-ca"
    assert parts["sslrootcert"] == found["POSTGRESQL_DB_TLS_CA"]
    assert (parts["user"], parts["password"], parts["dbname"]) == ("relation_id_7", "Zq3", "myapp")


def test_driver_reads_escaped_credentials() -> None:
    found = variables(example("postgresql-without-secrets"))["POSTGRESQL_DB_CONNECT_STRING"]
    parts = conninfo.conninfo_to_dict(found)
    assert (parts["user"], parts["password"]) == ("u@x", "p:/%ä")


def test_empty_bag_is_waited_for() -> None:
    assert parse(example("postgresql", bag={}, secrets={})) == NotReady("no credentials yet")


@pytest.fixture
def ours() -> Authority:
    return authority("ours")


@pytest.fixture
def server(ours: Authority, tmp_path: Path) -> Iterator[int]:
    """Speak PostgreSQL's protocol up to the point where a client has checked the certificate; it names another host."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*ours.sign("postgresql-k8s-0.postgresql-k8s-endpoints", tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.settimeout(10)
                    client.recv(8)  # the request for TLS
                    client.sendall(b"S")
                    try:
                        with context.wrap_socket(client, server_side=True) as secure:
                            secure.recv(4096)  # user and database
                            fields = b"SFATAL\0C28000\0M" + REACHED.encode() + b"\0\0"
                            secure.sendall(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)
                            secure.recv(1)
                    except OSError:
                        continue  # the client does not trust us

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


@pytest.mark.parametrize(("trusted", "expected"), [(True, REACHED), (False, "certificate verify failed")])
def test_the_driver_checks_the_authority_but_not_the_host(
    server: int, ours: Authority, tmp_path: Path, trusted: bool, expected: str
) -> None:
    relation = example("postgresql-by-tls")
    url = variables(relation)["POSTGRESQL_DB_CONNECT_STRING"]
    named = conninfo.conninfo_to_dict(url)["sslrootcert"]
    file = tmp_path / "authority.pem"
    file.write_text((ours if trusted else authority("another")).pem)
    there = url.replace(str(named), str(file)).replace(
        "postgresql-k8s-primary.mymodel.svc.cluster.local:5432", f"127.0.0.1:{server}"
    )
    with pytest.raises(psycopg.OperationalError, match=expected):
        psycopg.connect(there, connect_timeout=10)


def test_certificate_is_in_the_container_and_a_new_one_reloads(
    context: testing.Context[NotesCharm], world: World, tmp_path: Path
) -> None:
    texts = [authority(name).pem for name in ("first", "second")]
    user = testing.Secret({"username": "u", "password": "password"}, id="secret:d2aaaaaaaaaaaaaaaaa0", owner=None)
    workload = container(tmp_path)
    peers = peer()
    secrets: set[testing.Secret] = set()
    for text in texts:
        tls = testing.Secret({"tls": "True", "tls-ca": text}, id="secret:d2aaaaaaaaaaaaaaaaa1", owner=None)
        relation = database(**{"secret-tls": tls.id})
        state = context.run(
            context.on.relation_changed(relation),
            testing.State(
                leader=True, relations={relation, peers}, containers={workload}, secrets={user, tls} | secrets
            ),
        )
        assert state.unit_status == testing.ActiveStatus()
        workload, peers = state.get_container("django-app"), state.get_relation(1)
        secrets = {secret for secret in state.secrets if secret.owner == "app"}
        environment = workload.plan.services["django"].environment
        path = environment["POSTGRESQL_DB_TLS_CA"]
        assert (tmp_path / path.lstrip("/")).read_text() == text
        assert path in environment["POSTGRESQL_DB_CONNECT_STRING"]
    assert world.calls.count("reload") == 1
    assert world.calls.count("migrate") == 1
