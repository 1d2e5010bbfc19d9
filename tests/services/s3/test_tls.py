"""The real object store with the certificate of the real authority, each in a container of its own."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nuages.services import REGISTRY, passwords
from nuages.services.certificates import answer
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.pod import CommandError, Pod, running

pytestmark = pytest.mark.timeout(900)  # where the store is not built yet
STORE = REGISTRY["s3-integrator"]
AUTHORITY = REGISTRY["self-signed-certificates"]
ASKS = {"requested-secrets": json.dumps(["access-key", "secret-key"]), "bucket": "notes"}
ROUNDTRIP = """
import json, sys
sys.path.insert(0, "/opt/nuages")
from s3 import Client
ask = json.load(sys.stdin)
open("/tmp/trusted.pem", "w").write("\\n".join(ask["chain"]))
client = Client(ask["endpoint"], *ask["keys"], "us-east-1", "/tmp/trusted.pem" if ask["chain"] else "")
client.request("PUT", "/notes/trip", body=b"round").read()
print(client.request("GET", "/notes/trip").read().decode())
"""
PRESENTED = """
import socket, ssl, sys
context = ssl.create_default_context(cadata=sys.stdin.read())
with context.wrap_socket(socket.create_connection(("127.0.0.1", 9443), 5), server_hostname=NAME) as secure:
    print(secure.getpeercert()["subjectAltName"])
"""


class World:
    """Store and authority, as the engine would carry what each says to the other."""

    def __init__(self, store: Pod, authority: Pod) -> None:
        self.pod = store
        self.store = FakeContext(store.client, unit="s3-integrator/0", hook="store-pebble-ready")
        self.authority = FakeContext(authority.client, unit="self-signed-certificates/0")
        self.notes = FakeRelation(3, "s3-credentials", "s3", app=dict(ASKS))
        self.store.all_relations = [self.notes]
        self.asking = FakeRelation(5, answer.ENDPOINT, remote_application="self-signed-certificates")
        self.asked = FakeRelation(5, answer.ENDPOINT, remote_application="s3-integrator")
        self.authority.all_relations = [self.asked]
        self.hook("store-pebble-ready")

    def hook(self, name: str = "update-status") -> None:
        self.store.hook = name
        asyncio.run(STORE.hook(self.store))
        assert self.store.status == ("active", "")

    def sign(self) -> None:
        """Have the authority answer, and the store hear it."""
        self.asked.units = {"s3-integrator/0": dict(self.asking.own_unit)}
        asyncio.run(AUTHORITY.hook(self.authority))
        self.asking.app = dict(self.asked.own)
        self.hook("certificates-relation-changed")

    def secure(self) -> None:
        self.store.all_relations = [self.notes, self.asking]
        self.hook("certificates-relation-created")
        self.sign()

    def plain(self) -> None:
        self.store.all_relations = [self.notes]
        self.hook("certificates-relation-broken")
        self.asking.own_unit, self.asking.app = {}, {}

    def renew(self, *, authority: bool) -> None:
        if authority:
            asyncio.run(AUTHORITY.action(self.authority, "rotate-private-key", {}))
        else:
            self.asked.own = {}
        self.sign()

    @property
    def chain(self) -> list[str]:
        return json.loads(self.notes.own.get("tls-ca-chain", "[]"))

    def keys(self) -> tuple[str, str]:
        content = self.store.content(self.notes.own["secret-extra"])
        return content["access-key"], content["secret-key"]

    def goes(self, told: dict[str, str] | None = None, chain: list[str] | None = None) -> bool:
        """Do a round trip by what was told, now or before."""
        told = told or self.notes.own
        chain = json.loads(told.get("tls-ca-chain", "[]")) if chain is None else chain
        # By the address: a name is resolved by the engine's pods.
        endpoint = told["endpoint"].replace("s3-integrator.localhost", "127.0.0.1")
        try:
            said = self.pod.python(ROUNDTRIP, json.dumps({"endpoint": endpoint, "keys": self.keys(), "chain": chain}))
        except CommandError as error:
            assert "CERTIFICATE_VERIFY_FAILED" in str(error) or "Connection refused" in str(error), error
            return False
        return said.strip() == "round"

    def console(self, *words: str, stdin: str = "") -> str:
        console = STORE.console(self.store, self.notes)
        return self.pod.run(*console.argv, *words, stdin=stdin, environment=dict(console.environment))

    def ports(self) -> set[int]:
        services = {info.name: info.is_running() for info in self.pod.client.get_services()}
        return {port for name, port in (("store", 9000), ("store-tls", 9443)) if services.get(name)}


def checked_by(world: World) -> set[str]:
    """How Pebble looks whether the store is ready."""
    return {"http", "exec", "tcp"} & world.pod.client.get_plan().to_dict()["checks"]["ready"].keys()


@pytest.fixture(scope="module")
def world(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(STORE, directory) as store, running(AUTHORITY, tmp_path_factory.mktemp("a")) as authority:
        yield World(store, authority)


def wait_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the time be over for which what was told before is good."""
    over = time.time() + passwords.GRACE + 1
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: over)
        world.hook()


def test_with_a_certificate_it_is_https_and_plain_requests_go_on_for_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(world.notes.own)
    assert before["endpoint"] == "http://s3-integrator.localhost:9000"
    assert "tls-ca-chain" not in before
    world.secure()
    assert world.notes.own["endpoint"] == "https://s3-integrator.localhost:9443"
    assert [ssl.PEM_cert_to_DER_cert(pem) for pem in world.chain], "a JSON list of certificates"
    assert world.goes()
    assert world.goes(before)
    wait_out(world, monkeypatch)
    assert (world.ports(), checked_by(world)) == ({9443}, {"exec"})
    assert world.goes()
    assert not world.goes(before)


def stranger() -> str:
    """Return the certificate of another authority of the same name."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nuages")])
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def test_only_who_trusts_the_authority_gets_through(world: World) -> None:
    assert world.goes()
    assert not world.goes(chain=[])
    assert not world.goes(chain=[stranger()])


def test_the_certificate_is_for_the_name_that_is_told(world: World) -> None:
    for name in ("s3-integrator.localhost", "localhost", "127.0.0.1"):
        said = world.pod.python(PRESENTED.replace("NAME", repr(name)), "\n".join(world.chain))
        assert name in said
    with pytest.raises(CommandError, match="CERTIFICATE_VERIFY_FAILED"):
        world.pod.python(PRESENTED.replace("NAME", "'another.localhost'"), "\n".join(world.chain))


def test_its_key_stays_in_the_pod(world: World) -> None:
    modes = world.pod.run("stat", "-c", "%a %U", "/var/lib/s3/tls", "/var/lib/s3/tls/key.pem").split("\n")
    assert modes[:2] == ["700 _daemon_", "600 _daemon_"]
    key = world.pod.run("cat", "/var/lib/s3/tls/key.pem").splitlines()[1]
    assert key not in json.dumps([world.notes.own, world.asking.own_unit, world.asked.own])
    assert key not in world.pod.output()


def test_console_and_new_keys_by_tls(world: World) -> None:
    world.console("put", "page.html", stdin="<p>Hi")
    assert world.console("get", "page.html") == "<p>Hi"
    url = world.console("presign", "page.html").strip()
    assert url.startswith("https://s3-integrator.localhost:9443/notes/page.html?")
    assert (console := STORE.console(world.store, world.notes)).url.startswith("https://")
    assert console.port == 9443
    before = world.keys()
    asyncio.run(STORE.action(world.store, "rotate-password", {}))
    assert world.keys() != before
    assert world.goes()


def test_hooks_without_news_write_nothing(world: World) -> None:
    def files() -> str:
        return world.pod.run("find", "/var/lib/s3", "-printf", "%p %T@ %i\n")

    world.hook()
    writes, before = world.notes.writes, files()
    world.hook()
    assert (world.notes.writes, files()) == (writes, before)


def test_a_renewed_certificate_is_loaded_at_once(world: World) -> None:
    def serial() -> str:
        script = "openssl s_client -connect 127.0.0.1:9443 </dev/null 2>/dev/null | openssl x509 -noout -serial"
        return world.pod.run("/bin/sh", "-c", script)

    before, chain = serial(), world.chain
    world.renew(authority=False)
    assert world.chain == chain
    until = time.monotonic() + 10
    while serial() == before:
        assert time.monotonic() < until
    assert world.goes()


def test_a_new_authority_without_a_failed_request(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(world.notes.own)
    (old,) = world.chain
    world.renew(authority=True)
    assert len(world.chain) == 2 and world.chain[1] == old
    assert world.goes(before)
    assert world.goes()
    between = dict(world.notes.own)
    wait_out(world, monkeypatch)
    assert world.chain == json.loads(between["tls-ca-chain"])[:1]
    assert world.goes(between)
    assert world.goes()
    assert not world.goes(before)


def test_killing_the_server_loses_nothing(world: World) -> None:
    program = (
        "import os, signal\n"
        "for name in os.listdir('/proc'):\n"
        "    if name.isdigit() and 'versitygw' in open(f'/proc/{name}/cmdline').read().split(chr(0))[0]:\n"
        "        os.kill(int(name), signal.SIGKILL); print(name)\n"
    )
    world.console("put", "last", stdin="word")
    assert world.pod.python(program).strip()
    world.hook("store-pebble-check-recovered")
    assert world.console("get", "last") == "word"


def test_without_the_relation_it_is_plain_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(world.notes.own)
    world.plain()
    assert world.notes.own["endpoint"] == "http://s3-integrator.localhost:9000"
    assert "tls-ca-chain" not in world.notes.own
    assert world.goes()
    assert world.goes(before)
    wait_out(world, monkeypatch)
    assert (world.ports(), checked_by(world)) == ({9000}, {"http"})
    assert world.goes()
    assert not world.goes(before)
    assert "tls" not in world.pod.run("ls", "/var/lib/s3").split()


def test_plain_and_back_in_a_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.secure()
    first = dict(world.notes.own)
    world.plain()
    plain = dict(world.notes.own)
    world.secure()
    assert world.notes.own == first
    assert world.goes() and world.goes(plain)
    wait_out(world, monkeypatch)
    assert world.ports() == {9443}


def test_a_store_of_the_operators_has_its_own_chain(world: World) -> None:
    pem = world.chain[0]
    world.store.config = {
        "endpoint": "https://s3.example.com",
        "tls-ca-chain": base64.b64encode(pem.encode()).decode(),
        "access-key": "A",
        "secret-key": "B",
    }
    world.store.hook = "config-changed"
    asyncio.run(STORE.hook(world.store))
    assert (world.notes.own["endpoint"], world.chain) == ("https://s3.example.com", [pem])
    assert world.ports() == set()
    world.store.config = {}
    world.hook("config-changed")
    assert world.notes.own["endpoint"] == "https://s3-integrator.localhost:9443"
    assert world.goes()
