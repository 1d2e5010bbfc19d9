"""The real mail catcher in a container of its own; mails are sent with Python's own client."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nuages.errors import NuagesError
from nuages.services import REGISTRY
from tests.services.fakes import FakeContext, FakeRelation
from tests.services.pod import CommandError, Pod, running, until

SERVICE = REGISTRY["smtp-integrator"]
DEFAULTS: dict[str, Any] = {"port": 25, "transport_security": "none", "skip_ssl_verify": False}

SEND = r"""
import json, smtplib, ssl, sys
from email.message import EmailMessage
ask = json.load(sys.stdin)
context = ssl._create_unverified_context()
try:
    if ask["security"] == "tls":
        client = smtplib.SMTP_SSL("127.0.0.1", ask["port"], context=context, timeout=10)
    else:
        client = smtplib.SMTP("127.0.0.1", ask["port"], timeout=10)
        if ask["security"] == "starttls":
            client.starttls(context=context)
    if ask["user"]:
        client.login(ask["user"], ask["password"])
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "me@example.com", "you@example.com", ask["subject"]
    message.set_content(ask["text"])
    if ask["html"]:
        message.add_alternative(ask["html"], subtype="html")
    client.send_message(message)
    client.quit()
except smtplib.SMTPException as error:
    sys.exit(f"{type(error).__name__} {error}")
"""
GET = r"""
import json, sys, urllib.error, urllib.request
ask = json.load(sys.stdin)
try:
    answer = urllib.request.urlopen(urllib.request.Request(ask["url"], method=ask["method"]), timeout=10)
except urllib.error.HTTPError as error:
    answer = error
print(json.dumps([answer.status, answer.read().decode()]))
"""


class Mail:
    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.context = FakeContext(pod.client, unit="smtp-integrator/0", config=dict(DEFAULTS))
        self.hook("install")
        self.hook("mail-pebble-ready")
        assert self.context.status == ("active", "")

    def hook(self, name: str, relation: FakeRelation | None = None) -> None:
        self.context.hook, self.context.relation = name, relation
        asyncio.run(SERVICE.hook(self.context))

    def act(self, name: str, **params: str) -> dict[str, Any]:
        return dict(asyncio.run(SERVICE.action(self.context, name, params)))

    def configure(self, **values: Any) -> None:
        self.context.config = DEFAULTS | values
        self.hook("config-changed")

    def integrate(self, number: int, application: str, endpoint: str = "smtp") -> FakeRelation:
        relation = FakeRelation(number, endpoint, "smtp", remote_application=application)
        self.context.all_relations.append(relation)
        self.hook(f"{endpoint}-relation-created", relation)
        return relation

    def login(self, relation: FakeRelation) -> tuple[str, str]:
        bag = relation.own
        return bag["user"], bag.get("password") or self.context.content(bag["password_id"])["password"]

    def send(self, login: tuple[str, str], subject: str, text: str = "Hello", html: str = "", **more: Any) -> None:
        user, password = login
        ask = {"port": 25, "security": "none", "user": user, "password": password} | more
        self.pod.python(SEND, json.dumps(ask | {"subject": subject, "text": text, "html": html}))

    def get(self, path: str = "", method: str = "GET", token: str = "") -> tuple[int, str]:
        token = token or self.pod.run("cat", "/var/lib/mail/catcher/token")
        ask = {"url": f"http://127.0.0.1:8025/{token}/{path}", "method": method}
        status, text = json.loads(self.pod.python(GET, json.dumps(ask)))
        return status, text


@pytest.fixture(scope="module")
def mail(directory: Path) -> Iterator[Mail]:
    with running(SERVICE, directory) as pod:
        yield Mail(pod)


def test_a_mail_is_kept_and_shown(mail: Mail) -> None:
    notes = mail.integrate(3, "notes")
    mail.send(mail.login(notes), "Grüße <b>", "Hällo\n<script>", "<p>Hi</p><script>alert(1)</script>")
    status, listing = mail.get()
    assert status == 200
    assert "Grüße &lt;b&gt;" in listing
    assert "you@example.com" in listing
    (name,) = (word.split('"')[0] for word in listing.split('href="')[1:])
    _, page = mail.get(name)
    assert "Hällo\n&lt;script&gt;" in page
    assert "<script>" not in page
    assert 'sandbox srcdoc="&lt;p&gt;Hi' in page
    assert "relation-3" in page
    assert "Subject: =?utf-8?" in mail.get(f"{name}/source")[1]


def test_nobody_sends_without_a_good_login(mail: Mail) -> None:
    user, password = mail.login(mail.context.all_relations[0])
    for login, reason in (
        (("", ""), "530"),
        ((user, "x"), "SMTPAuthenticationError"),
        (("x", password), "SMTPAuthenticationError"),
    ):
        with pytest.raises(CommandError, match=reason):
            mail.send(login, "never")
    assert "never" not in mail.get()[1]


def test_nobody_sees_mails_without_the_token(mail: Mail) -> None:
    for token in ("x", "mails", "..", "%2e%2e"):
        assert mail.get(token=token)[0] == 404
    for path in ("x", "../users.json", "..%2fusers.json", "1-000001.eml"):
        assert mail.get(path)[0] == 404


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_the_console(mail: Mail, security: str) -> None:
    mail.configure(transport_security=security)
    notes = mail.context.all_relations[0]
    console = SERVICE.console(mail.context, notes)

    def run(*words: str, stdin: str = "") -> str:
        return mail.pod.run(*console.argv, *words, stdin=stdin, environment=dict(console.environment))

    user, password = mail.login(notes)
    scheme = "smtps" if security == "tls" else "smtp"
    assert console.url == f"{scheme}://{user}:{password}@{{address}}"
    assert password not in " ".join(console.argv)
    assert run("NOOP").startswith("250 ")
    subject = f"typed by {security}"
    typed = f"MAIL FROM:<a@example.com>\nRCPT TO:<b@example.com>\nDATA\nSubject: {subject}\n\nexit\n.\nQUIT\n"
    assert [line.split()[0] for line in run(stdin=typed).splitlines()] == ["250", "250", "354", "250", "221"]
    assert subject in mail.get()[1]
    with pytest.raises(CommandError, match="cannot WAT: 500"):
        run("WAT")
    with pytest.raises(CommandError, match="cannot log in"):
        mail.pod.run(*console.argv, "NOOP", environment={"SMTP_USER": user, "SMTP_PASSWORD": "x"})
    mail.configure()


def test_hooks_without_news_write_nothing(mail: Mail) -> None:
    (relation,) = mail.context.all_relations
    writes, secrets = relation.writes, dict(mail.context.secrets)
    mail.hook("update-status")
    assert (relation.writes, mail.context.secrets) == (writes, secrets)


def test_each_relation_has_a_user_which_goes_with_it(mail: Mail) -> None:
    notes = mail.context.all_relations[0]
    old = mail.integrate(4, "old", "smtp-legacy")
    login = mail.login(old)
    assert login[0] != mail.login(notes)[0]
    assert "password_id" not in old.own
    mail.send(login, "from old")
    assert "from old" in mail.get()[1]
    bag = dict(old.own)
    mail.hook("update-status")
    assert old.own == bag
    assert mail.act("rotate-password", application="old") == {"changed": "old"}
    assert mail.login(old) != login
    with pytest.raises(NuagesError, match="'blog': related applications are notes, old"):
        mail.act("rotate-password", application="blog")
    old.breaking = True
    mail.hook("smtp-legacy-relation-broken", old)
    mail.context.all_relations.remove(old)
    with pytest.raises(CommandError, match="SMTPAuthenticationError"):
        mail.send(login, "late")
    assert not [label for label in mail.context.secrets if label.startswith("smtp-legacy.4")]


def test_a_changed_password_serves_at_once_and_the_old_one_for_a_minute(
    mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    (notes,) = mail.context.all_relations
    before, bag = mail.login(notes), dict(notes.own)
    assert mail.act("rotate-password", application="notes") == {"changed": "notes"}
    after = mail.login(notes)
    assert after != before
    assert notes.own == bag
    for login in (before, after):
        mail.send(login, "both")
    later = time.time() + 61
    monkeypatch.setattr("nuages.services.passwords.time.time", lambda: later)
    mail.hook("update-status")
    mail.send(after, "new")
    with pytest.raises(CommandError, match="SMTPAuthenticationError"):
        mail.send(before, "old")
    with pytest.raises(NuagesError, match="'blog': related applications are notes"):
        mail.act("rotate-password", application="blog")


def test_a_killed_catcher_comes_back_with_every_mail_it_took(mail: Mail) -> None:
    login = mail.login(mail.context.all_relations[0])
    mail.send(login, "before the kill")
    script = (
        'for p in /proc/[0-9]*; do case "$(tr "\\0" " " <$p/cmdline)" in '
        '/opt/nuages/python3*) kill -9 "${p#/proc/}"; echo killed;; esac; done'
    )
    assert mail.pod.run("sh", "-c", script).strip() == "killed"

    def back() -> bool:
        try:
            mail.send(login, "after the kill")
        except CommandError:
            return False
        return True

    until(back, "it takes mails again")
    assert "before the kill" in mail.get()[1]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_transport_security(mail: Mail, security: str) -> None:
    (notes,) = mail.context.all_relations
    mail.configure(transport_security=security, port=2525)
    assert mail.context.status == ("active", "")
    assert (notes.own["transport_security"], notes.own["port"], notes.own["skip_ssl_verify"]) == (
        security,
        "2525",
        "True",
    )
    mail.send(mail.login(notes), f"by {security}", port=2525, security=security)
    assert f"by {security}" in mail.get()[1]
    if security == "starttls":
        with pytest.raises(CommandError, match="SMTP"):
            mail.send(mail.login(notes), "in plain", port=2525)
    mail.configure()
    assert notes.own["skip_ssl_verify"] == "False"


def test_a_host_of_the_operators_stops_the_catcher(mail: Mail) -> None:
    (notes,) = mail.context.all_relations
    mail.configure(host="smtp.example.com", port=587, user="joe", password="Chosen1", auth_type="plain")
    assert mail.context.status == ("active", "mails go to smtp.example.com:587")
    assert (notes.own["host"], mail.login(notes)) == ("smtp.example.com", ("joe", "Chosen1"))
    assert not mail.pod.client.get_services()[0].is_running()
    for name in ("show-mails", "rotate-password"):
        with pytest.raises(NuagesError, match=r"mails go to smtp\.example\.com"):
            mail.act(name)
    mail.configure(user="joe")
    assert mail.context.status[0] == "blocked"
    other = mail.integrate(4, "other")
    mail.configure(host="smtp.example.com", port=587, user="joe", password="Chosen1", auth_type="plain")
    assert mail.login(other) == ("joe", "Chosen1")
    mail.configure()
    assert mail.context.status == ("active", "")
    mail.send(mail.login(notes), "caught again")
    passwords = {mail.login(relation)[1] for relation in (notes, other)}
    assert len(passwords) == 2
    assert "Chosen1" not in passwords
    other.breaking = True
    mail.hook("smtp-relation-broken", other)
    mail.context.all_relations.remove(other)


def test_the_page_is_published_on_demand(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int, int]] = []

    async def publish(key: str, port: int, *, preferred: int) -> int:
        asked.append((key, port, preferred))
        return 8026

    monkeypatch.setattr(mail.context, "publish", publish)
    token = mail.pod.run("cat", "/var/lib/mail/catcher/token")
    assert mail.act("show-mails") == {"url": f"http://localhost:8026/{token}/"}
    assert asked == [("mails", 8025, 8025)]


def test_no_password_is_printed_and_no_server_is_root(mail: Mail) -> None:
    output = mail.pod.output()
    words = [content["password"] for _, content in mail.context.secrets.values() if "password" in content]
    words.append(mail.pod.run("cat", "/var/lib/mail/catcher/token"))
    assert len(words) > 1
    assert not [word for word in words if word in output]
    assert "kept a mail of relation-3" in output
    modes = mail.pod.run("sh", "-c", "cd /var/lib/mail/catcher; stat -c %a:%n . mails users.json token tls.pem mails/*")
    assert {line.partition(":")[0] for line in modes.split()} <= {"600", "700"}


def test_removing_all(mail: Mail) -> None:
    assert "None yet" not in mail.get()[1]
    mail.get("remove", "POST")
    assert "None yet" in mail.get()[1]


def test_mails_outlive_the_pod_even_when_all_is_killed(mail: Mail, directory: Path) -> None:
    login = mail.login(mail.context.all_relations[0])
    mail.send(login, "kept over all")
    mail.pod.kill()
    with running(SERVICE, directory) as pod:
        mail.pod, mail.context.client = pod, pod.client
        mail.hook("upgrade-charm")
        mail.hook("mail-pebble-ready")
        assert mail.context.status == ("active", "")
        assert "kept over all" in mail.get()[1]
        mail.send(login, "and more")
        mail.hook("stop")
        assert not pod.client.get_services()[0].is_running()
