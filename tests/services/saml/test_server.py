"""The real identity provider in a container of its own; what it says is verified by signxml and lxml there."""

from __future__ import annotations

import base64
import http.server
import json
import threading
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from nuages.errors import NuagesError
from nuages.services import REGISTRY
from tests.services.fakes import FakeRelation
from tests.services.identity.person import Page, inside
from tests.services.identity.provider import Provider
from tests.services.pod import running, until

SERVICE = REGISTRY["saml-integrator"]
PORT = 4480
ACS = "http://localhost:8000/acs"
APP = "http://localhost:8000/metadata"
FORMAT = "urn:oasis:names:tc:SAML:{}:nameid-format:{}"

VERIFY = r"""
import base64, json, sys
from lxml import etree
from signxml.verifier import XMLVerifier
told = json.load(sys.stdin)
root = etree.fromstring(base64.b64decode(told["message"]))
ns = {"p": "urn:oasis:names:tc:SAML:2.0:protocol", "a": "urn:oasis:names:tc:SAML:2.0:assertion"}
signed = XMLVerifier().verify(root, x509_cert=told["certificate"]).signed_xml
assert signed.tag.endswith("}Response"), signed.tag
found = {
    "status": [each.get("Value").rpartition(":")[2] for each in signed.iter("{%s}StatusCode" % ns["p"])],
    "destination": signed.get("Destination"), "in_response_to": signed.get("InResponseTo"),
    "issuer": signed.findtext("a:Issuer", namespaces=ns),
}
assertion = signed.find("a:Assertion", ns)
if assertion is not None:
    # By itself, as libraries do it that look at nothing but the assertion.
    own = XMLVerifier().verify(etree.fromstring(etree.tostring(assertion)), x509_cert=told["certificate"]).signed_xml
    assert own.tag.endswith("}Assertion"), own.tag
    order = [etree.QName(each).localname for each in assertion]
    name = own.find("a:Subject/a:NameID", ns)
    data = own.find("a:Subject/a:SubjectConfirmation/a:SubjectConfirmationData", ns)
    conditions = own.find("a:Conditions", ns)
    found |= {
        "order": order, "nameid": name.text, "format": name.get("Format"), "recipient": data.get("Recipient"),
        "confirms": data.get("InResponseTo"), "until": data.get("NotOnOrAfter"),
        "audience": [each.text for each in conditions.iter("{%s}Audience" % ns["a"])],
        "not_before": conditions.get("NotBefore"), "not_after": conditions.get("NotOnOrAfter"),
        "context": own.findtext("a:AuthnStatement/a:AuthnContext/a:AuthnContextClassRef", namespaces=ns),
        "attributes": {
            each.get("Name"): [value.text for value in each] for each in own.iter("{%s}Attribute" % ns["a"])
        },
    }
print(json.dumps(found))
"""
SIGN = r"""
import json, sys
from lxml import etree
from signxml.signer import XMLSigner
told = json.load(sys.stdin)
pem = open("/var/lib/saml/provider/signing.pem").read()
key, _, rest = pem.partition("-----BEGIN CERTIFICATE-----")
print(json.dumps(etree.tostring(XMLSigner().sign(
    etree.fromstring(told["text"]), key=key, cert="-----BEGIN CERTIFICATE-----" + rest)).decode()))
"""


@pytest.fixture(scope="module")
def saml(directory: Path) -> Iterator[Provider]:
    with running(SERVICE, directory) as pod:
        yield Provider(SERVICE, pod, PORT, {})


@pytest.fixture(scope="module")
def notes(saml: Provider) -> FakeRelation:
    return saml.integrate(3, "notes")


def asked(identifier: str = "_1", *, acs: str = ACS, more: str = "", inner: str = "", **changes: str) -> str:
    issued = changes.get("issued", datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
    issuer = changes.get("issuer", f"<a:Issuer>{APP}</a:Issuer>")
    target = f'AssertionConsumerServiceURL="{acs}"' if acs else ""
    return (
        f'<p:AuthnRequest xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" '
        f'xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="{identifier}" Version="2.0" IssueInstant="{issued}" '
        f"{target} {more}>{issuer}{inner}</p:AuthnRequest>"
    )


def url(text: str, relay: str = "") -> str:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = compressor.compress(text.encode()) + compressor.flush()
    fields = {"SAMLRequest": base64.b64encode(data).decode()} | ({"RelayState": relay} if relay else {})
    return f"/saml/sso?{urlencode(fields)}"


def verified(relation: FakeRelation, saml: Provider, page: Page) -> dict[str, Any]:
    """Return what a response says, signed by the certificate of the databag."""
    assert page.status == 200, page.words
    certificate = relation.own["x509certs"]
    return inside(saml.pod, VERIFY, message=page.fields["SAMLResponse"], certificate=certificate)


def time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_a_login_by_redirect(saml: Provider, notes: FakeRelation):
    person = saml.person()
    led = person.get(url(asked("_one"), "state <1>"))
    assert led.status == 303
    page = person.get(led.location)
    assert "to go on to localhost:8000" in page.words
    led = person.sign_in(page, "alice", saml.password("alice"))
    done = person.get(led.location)
    assert done.target == ACS
    assert done.fields["RelayState"] == "state <1>"
    said = verified(notes, saml, done)
    now = datetime.now(timezone.utc)
    assert now < time(said.pop("until")) < now + timedelta(minutes=6)
    assert time(said.pop("not_before")) < now < time(said.pop("not_after"))
    assert said == {
        "status": ["Success"],
        "destination": ACS,
        "in_response_to": "_one",
        "issuer": notes.own["entity_id"],
        "order": ["Issuer", "Signature", "Subject", "Conditions", "AuthnStatement", "AttributeStatement"],
        "nameid": "alice",
        "format": FORMAT.format("1.1", "unspecified"),
        "recipient": ACS,
        "confirms": "_one",
        "audience": [APP],
        "context": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        "attributes": {
            "uid": ["alice"],
            "email": ["alice@example.com"],
            "givenName": ["Alice"],
            "sn": ["Archer"],
            "groups": ["staff", "admins"],
        },
    }


def test_a_request_is_answered_once(saml: Provider, notes: FakeRelation):
    person = saml.person()
    led = person.get(url(asked()))
    person.sign_in(person.get(led.location), "bob", saml.password("bob"))
    assert person.get(led.location).status == 200
    again = person.get(led.location)
    assert again.status == 400
    assert "answered already" in again.words


def test_a_login_by_post_with_a_session_needs_no_password(saml: Provider, notes: FakeRelation):
    person = saml.person()
    person.sign_in(person.get("/login"), "bob", saml.password("bob"))
    message = base64.b64encode(asked("_two").encode()).decode()
    led = person.post("/saml/sso", {"SAMLRequest": message})
    said = verified(notes, saml, person.get(led.location))
    assert (said["nameid"], said["in_response_to"]) == ("bob", "_two")


def test_a_login_that_is_forced_asks_again(saml: Provider, notes: FakeRelation):
    person = saml.person()
    person.sign_in(person.get("/login"), "bob", saml.password("bob"))
    led = person.get(url(asked(more='ForceAuthn="true"')))
    page = person.get(led.location)
    person.sign_in(page, "alice", saml.password("alice"))
    assert verified(notes, saml, person.get(led.location))["nameid"] == "alice"


def test_nobody_is_asked_by_a_passive_request(saml: Provider, notes: FakeRelation):
    person = saml.person()
    said = verified(notes, saml, person.get(person.get(url(asked(more='IsPassive="true"'))).location))
    assert said["status"] == ["Responder", "NoPassive"]
    assert "nameid" not in said


@pytest.mark.parametrize(
    ("format_", "want"),
    [
        (FORMAT.format("1.1", "emailAddress"), lambda first, second, other: first == second == "bob@example.com"),
        (FORMAT.format("2.0", "persistent"), lambda first, second, other: first == second != other),
        (FORMAT.format("2.0", "transient"), lambda first, second, other: len({first, second, other}) == 3),
    ],
    ids=["emailAddress", "persistent", "transient"],
)
def test_name_identifiers(saml: Provider, notes: FakeRelation, format_: str, want: Any):
    person = saml.person()
    person.sign_in(person.get("/login"), "bob", saml.password("bob"))
    policy = f'<p:NameIDPolicy Format="{format_}" AllowCreate="true"/>'
    names: list[str] = []
    for issuer in (APP, APP, "urn:another"):
        text = asked(inner=policy, issuer=f"<a:Issuer>{issuer}</a:Issuer>")
        said = verified(notes, saml, person.get(person.get(url(text)).location))
        assert said["format"] == format_
        names.append(said["nameid"])
    assert want(*names), names


def test_a_name_identifier_that_is_not_to_be_had(saml: Provider, notes: FakeRelation):
    person = saml.person()
    person.sign_in(person.get("/login"), "bob", saml.password("bob"))
    text = asked(inner=f'<p:NameIDPolicy Format="{FORMAT.format("2.0", "kerberos")}"/>')
    said = verified(notes, saml, person.get(person.get(url(text)).location))
    assert said["status"] == ["Requester", "InvalidNameIDPolicy"]


@pytest.mark.parametrize(
    ("acs", "words"),
    [
        ("https://evil.example/acs", "no assertion is sent to evil.example"),
        ("http://localhost.evil.example/acs", "no assertion is sent to localhost.evil.example"),
        ("http://evillocalhost/acs", "no assertion is sent to evillocalhost"),
        ("http://localhost@evil.example/acs", "it is no plain http URL"),
        ("http://evil.example\\@localhost/acs", "it is no plain http URL"),
        ("http://127.0.0.1.evil.example/", "no assertion is sent to"),
        ("http://shop/acs", "no assertion is sent to shop"),
        ("javascript:alert(1)", "it is no plain http URL"),
        ("data:text/html,x", "it is no plain http URL"),
        ("http://[::1/acs", "it is no plain http URL"),
        ("http://localhost:99999999/acs", "it is no plain http URL"),
        ("/acs", "it is no plain http URL"),
        ("", "names no AssertionConsumerServiceURL"),
    ],
)
def test_an_assertion_goes_to_no_stranger(saml: Provider, notes: FakeRelation, acs: str, words: str):
    person = saml.person()
    person.sign_in(person.get("/login"), "alice", saml.password("alice"))
    page = person.get(url(asked(acs=acs)))
    assert page.status in (400, 403)
    assert words in page.words
    assert "SAMLResponse" not in page.text


@pytest.mark.parametrize(
    "acs",
    ["http://shop.localhost:8000/acs", "https://127.0.0.1/acs", "http://[::1]:8000/a", "http://notes.dev:8000/acs"],
)
def test_an_assertion_goes_to_this_machine_and_related_applications(saml: Provider, notes: FakeRelation, acs: str):
    assert saml.person().get(url(asked(acs=acs))).status == 303


def test_an_option_allows_another_host(saml: Provider, notes: FakeRelation):
    page = saml.person().get(url(asked(acs="https://notes.test/acs")))
    assert "nuages config saml-integrator acs_hosts=notes.test" in page.words
    saml.configure(acs_hosts="notes.test")
    assert saml.person().get(url(asked(acs="https://notes.test/acs"))).status == 303
    saml.configure(acs_hosts="http://notes.test")
    assert saml.context.status[0] == "blocked"
    saml.configure()
    assert saml.context.status[0] == "active"
    assert saml.person().get(url(asked(acs="https://notes.test/acs"))).status == 403


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
ENTITY = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: "not XML", "is no XML"),
        (lambda: "<x/>", "no AuthnRequest"),
        (lambda: BOMB + asked(inner="&b;"), "document type"),
        (lambda: ENTITY + asked(issuer="<a:Issuer>&a;</a:Issuer>"), "document type"),
        (lambda: asked("1one"), "no good ID"),
        (lambda: asked("_&quot;&gt;"), "no good ID"),
        (lambda: asked(issuer=""), "does not say who asks"),
        (lambda: asked(issued="yesterday"), "does not say when"),
        (lambda: asked(issued="2020-01-01T00:00:00Z"), "too old"),
        (lambda: asked(more='Destination="https://other.example/sso"'), "the request is for https://other.example/sso"),
        (lambda: asked(more='ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"'), "another binding"),
        (lambda: asked().replace('Version="2.0"', 'Version="1.1"'), "not SAML 2.0"),
        (lambda: " " * 70_000 + asked(), "too big"),
    ],
)
def test_nonsense_is_refused_with_a_reason(saml: Provider, notes: FakeRelation, make: Callable[[], str], words: str):
    text = make()  # only now, for it says when it was made
    for page in (
        saml.person().get(url(text)),
        saml.person().post("/saml/sso", {"SAMLRequest": base64.b64encode(text.encode()).decode()}),
    ):
        assert page.status in (400, 413), page.words
        assert words in page.words
        assert "root:" not in page.text


def test_what_is_no_message_is_refused(saml: Provider, notes: FakeRelation):
    person = saml.person()
    assert "there is no SAMLRequest" in person.get("/saml/sso").words
    for text in ("%%%", "AAAA", "é", base64.b64encode(zlib.compress(b"x" * 100)).decode()):
        page = person.get(f"/saml/sso?{urlencode({'SAMLRequest': text})}")
        assert page.status == 400, page.words
    assert person.get("/saml/continue?request=nobodys").status == 400
    assert "Traceback" not in saml.pod.output()


def test_a_form_from_elsewhere_signs_nobody_in(saml: Provider, notes: FakeRelation):
    person = saml.person()
    fields = person.get("/login").fields
    password = saml.password("alice")
    stranger = saml.person()
    page = stranger.post("/login", {**fields, "username": "alice", "password": password})
    assert page.status == 400
    assert not any(name.startswith("session") for name in stranger.cookies)


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", ""])
def test_the_login_page_leads_nowhere_else(saml: Provider, target: str):
    person = saml.person()
    fields = person.get("/login").fields
    fields |= {"next": target, "username": "alice", "password": saml.password("alice")}
    assert person.post("/login", fields).location == "/"


def test_guessing_has_to_wait(saml: Provider, notes: FakeRelation):
    saml.act("set-user", username="victim", password="right")
    person = saml.person()
    page = person.get("/login")
    for _ in range(10):
        page = person.sign_in(page, "victim", "wrong")
        assert "Wrong username or password" in page.words
    assert "Wait a minute" in person.sign_in(page, "victim", "right").words
    assert person.sign_in(page, "alice", saml.password("alice")).status == 303


def test_a_changed_password_ends_sessions(saml: Provider, notes: FakeRelation):
    saml.act("set-user", username="carol", password="first")
    person = saml.person()
    assert person.sign_in(person.get("/login"), "carol", "first").status == 303
    assert "Sign out carol" in person.get("/").words
    saml.act("set-user", username="carol", password="second")
    assert "Nobody is signed in" in person.get("/").words
    assert "Wrong" in person.sign_in(person.get("/login"), "carol", "first").words
    assert person.sign_in(person.get("/login"), "carol", "second").status == 303
    saml.act("remove-user", username="carol")
    assert "Nobody is signed in" in person.get("/").words


def test_signing_out(saml: Provider):
    person = saml.person()
    person.sign_in(person.get("/login"), "alice", saml.password("alice"))
    page = person.get("/logout")
    assert "signed in as alice" in page.words
    kept = dict(person.cookies)
    person.post("/logout", page.fields)
    person.cookies = kept
    assert "Nobody is signed in" in person.get("/").words


def test_a_killed_provider_is_back_with_its_sessions_and_its_certificate(saml: Provider, notes: FakeRelation):
    person = saml.person()
    person.sign_in(person.get("/login"), "alice", saml.password("alice"))
    led = person.get(url(asked("_three")))
    before = dict(notes.own)
    saml.pod.run("/usr/bin/python3" if Path("/usr/bin/python3").exists() else "/opt/nuages/python3", "-c", KILL)
    until(lambda: saml.pod.output().count("SAML identity provider at") >= 2, "it is started again")
    saml.hook("saml-pebble-check-recovered")
    assert notes.own == before
    assert verified(notes, saml, person.get(led.location))["in_response_to"] == "_three"


KILL = r"""
import os, pathlib, signal
for entry in pathlib.Path("/proc").iterdir():
    if entry.name.isdigit() and b"/opt/nuages/idp.py" in (entry / "cmdline").read_bytes().split(b"\0"):
        os.kill(int(entry.name), signal.SIGKILL)
"""


def test_hooks_change_nothing_when_nothing_has_changed(saml: Provider, notes: FakeRelation):
    writes = notes.writes
    plan = saml.pod.client.get_plan().to_yaml()
    for name in ("config-changed", "update-status", "saml-relation-changed", "leader-elected"):
        saml.hook(name, notes if "relation" in name else None)
    assert notes.writes == writes
    assert saml.pod.client.get_plan().to_yaml() == plan


def test_no_password_and_no_key_is_where_others_look(saml: Provider, notes: FakeRelation):
    words = [saml.password("alice"), saml.password("bob"), "PRIVATE KEY"]
    seen = saml.pod.output() + saml.pod.client.get_plan().to_yaml() + repr(saml.context.statuses) + repr(notes.own)
    seen += saml.pod.run("/bin/sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert not [word for word in words if word in seen]
    listed = saml.pod.run("/bin/sh", "-c", "stat -c '%a %u %n' /var/lib/saml/provider/*.* /var/lib/saml/provider")
    for line in listed.splitlines():
        mode, owner, name = line.split()
        assert owner == "584792", line
        assert mode in ("600", "700") or name.endswith((".db-wal", ".db-shm", "state.db")), line
    assert saml.pod.run("/bin/sh", "-c", "stat -c %a /var/lib/saml/provider").strip() == "700"


def test_it_does_not_run_as_root(saml: Provider):
    said = saml.pod.run("/bin/sh", "-c", "grep -l idp.py /proc/[0-9]*/cmdline | xargs -n1 dirname | "
                                         "xargs -I{} grep -H ^Uid {}/status | grep -v self")  # fmt: skip
    assert "584792" in said


def test_without_related_applications_nothing_is_answered(saml: Provider, notes: FakeRelation):
    saml.part(notes)
    page = saml.person().get(url(asked()))
    assert "no application is related" in page.words
    saml.context.all_relations.append(notes)
    notes.breaking = False
    saml.hook("saml-relation-created", notes)


# The operator's own provider


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, dict[str, bytes]]]:
    """A web server on this machine with metadata: its URL, and path to content."""
    pages: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = pages.get(self.path)
            self.send_response(200 if found is not None else 404)
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", pages
    server.shutdown()
    server.server_close()


def test_a_provider_of_the_operators(saml: Provider, notes: FakeRelation, elsewhere: tuple[str, dict[str, bytes]]):
    url_, pages = elsewhere
    own = saml.person().get("/saml/metadata").text
    text = own.replace(f"{saml.base}/saml/metadata", "urn:theirs").replace(f"{saml.base}/", "https://idp.example.com/")
    pages["/plain"] = text.encode()
    signed = inside(saml.pod, SIGN, text=text)
    pages["/signed"] = signed.encode()
    pages["/forged"] = signed.replace("https://idp.example.com/", "https://evil.example/").encode()
    pages["/typed"] = BOMB.encode() + text.encode()
    pages["/nonsense"] = b"<html>"
    before = dict(notes.own)
    for path, entity, fingerprint, words in (
        ("/forged", "urn:theirs", "", "its signature is wrong"),
        ("/typed", "urn:theirs", "", "it has a document type"),
        ("/nonsense", "urn:theirs", "", "it is no XML"),
        ("/plain", "urn:others", "", "it does not describe urn:others, but urn:theirs"),
        ("/plain", "urn:theirs", "ab:cd", "another fingerprint"),
        ("/nowhere", "urn:theirs", "", "404"),
    ):
        saml.configure(entity_id=entity, metadata_url=url_ + path, fingerprint=fingerprint)
        assert saml.context.status[0] == "blocked", path
        assert words in saml.context.status[1]
        assert notes.own == before
    from hashlib import sha256

    digest = sha256(base64.b64decode(notes.own["x509certs"])).hexdigest().upper()
    for path in ("/plain", "/signed"):
        print_ = ":".join(digest[at : at + 2] for at in range(0, 64, 2))
        saml.configure(entity_id="urn:theirs", metadata_url=url_ + path, fingerprint=print_)
        assert saml.context.status == ("active", "people sign in at urn:theirs")
        assert notes.own["entity_id"] == "urn:theirs"
        assert notes.own["metadata_url"] == url_ + path
        assert notes.own["single_sign_on_service_redirect_url"] == "https://idp.example.com/saml/sso"
    with pytest.raises(NuagesError, match="cannot show users: people sign in at urn:theirs"):
        saml.act("show-users")
    saml.configure()
    assert notes.own == before
    assert json.dumps(saml.context.statuses[-1]) == json.dumps(["active", f"people sign in at {saml.base}"])
