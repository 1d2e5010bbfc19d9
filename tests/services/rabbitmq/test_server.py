"""The real RabbitMQ in a container of its own."""

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
from tests.services.rabbitmq.client import amqp

SERVICE = REGISTRY["rabbitmq-k8s"]
DEFAULTS: dict[str, Any] = {"disk-free-limit-bytes": "auto"}

GET = r"""
import base64, json, sys, urllib.error, urllib.request
ask = json.load(sys.stdin)
login = base64.b64encode(f"{ask['user']}:{ask['password']}".encode()).decode()
request = urllib.request.Request(f"http://127.0.0.1:15672{ask['path']}", headers={"Authorization": f"Basic {login}"})
try:
    answer = urllib.request.urlopen(request, timeout=10)
except urllib.error.HTTPError as error:
    answer = error
print(json.dumps([answer.status, answer.read().decode()]))
"""


class Broker:
    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.context = FakeContext(pod.client, unit="rabbitmq-k8s/0", config=dict(DEFAULTS))
        self.hook("install")
        self.hook("rabbitmq-pebble-ready")
        assert self.context.status == ("active", "")

    def hook(self, name: str, relation: FakeRelation | None = None) -> None:
        self.context.hook, self.context.relation = name, relation
        asyncio.run(SERVICE.hook(self.context))

    def act(self, name: str, **params: str) -> dict[str, Any]:
        return dict(asyncio.run(SERVICE.action(self.context, name, params)))

    def integrate(self, number: int, application: str, vhost: str = "/", user: str = "") -> FakeRelation:
        relation = FakeRelation(number, "amqp", "rabbitmq", remote_application=application)
        relation.app = {"username": user or application, "vhost": vhost}
        self.context.all_relations.append(relation)
        self.hook("amqp-relation-changed", relation)
        return relation

    def do(self, relation: FakeRelation, *steps: tuple[str, ...], password: str = "", vhost: str = "") -> list[Any]:
        bag = relation.app
        return amqp(
            self.pod, bag["username"], password or relation.own["password"], *steps, vhost=vhost or bag["vhost"]
        )


@pytest.fixture(scope="module")
def broker(directory: Path) -> Iterator[Broker]:
    with running(SERVICE, directory) as pod:
        yield Broker(pod)


def test_a_relation_gets_a_user_who_sends_and_receives(broker: Broker) -> None:
    notes = broker.integrate(3, "notes")
    assert notes.own == {
        "hostname": "rabbitmq-k8s-endpoints.dev.svc.cluster.local",
        "password": broker.context.secrets["amqp.3.password"][1]["password"],
    }
    for kind in ("classic", "quorum"):
        steps = (("declare", kind, kind), ("publish", kind, "Grüße"), ("get", kind), ("get", kind))
        assert broker.do(notes, *steps)[2:] == ["Grüße", None]


def test_the_console(broker: Broker) -> None:
    (notes,) = broker.context.all_relations
    console = SERVICE.console(broker.context, notes)
    password = notes.own["password"]
    assert console.url == f"amqp://notes:{password}@{{address}}/%2F"
    assert password not in " ".join(console.argv)

    def run(*words: str, stdin: str = "") -> str:
        return broker.pod.run(*console.argv, *words, stdin=stdin, environment=dict(console.environment))

    assert run(stdin="put classic Grüße\nput classic 'two words'\ncount classic\n") == "2 messages, 0 consumers\n"
    assert run("get", "classic") == "Grüße\n"
    assert run("get", "classic", "9") == "Grüße\ntwo words\n"
    assert run("take", "classic") == "Grüße\n"
    assert run("purge", "classic") == "1 messages removed\n"
    assert run("count", "classic") == "0 messages, 0 consumers\n"
    for words, said in (
        (["wat"], "there is no such command: count, "),
        (["put", "classic"], "it is: put QUEUE TEXT"),
        (["put", "never", "x"], "there is no such queue"),
        (["count", "never"], "404 NOT_FOUND"),
        (["take", "classic"], "the queue is empty"),
        (["get", "classic", "all"], "N is 'all'"),
        (["count", "x" * 256], "cannot count: "),
    ):
        with pytest.raises(CommandError, match=said) as caught:
            run(*words)
        assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(CommandError, match="403"):
        broker.pod.run(*console.argv, "count", "classic", environment={**console.environment, "AMQP_PASSWORD": "x"})
    with pytest.raises(NuagesError, match="has no login yet"):
        SERVICE.console(broker.context, FakeRelation(90, "amqp", "rabbitmq"))


def test_nobody_else_gets_in(broker: Broker) -> None:
    (notes,) = broker.context.all_relations
    for user, password in (("notes", "x"), ("notes", ""), ("guest", "guest"), ("x", notes.own["password"])):
        with pytest.raises(CommandError, match="403 ACCESS_REFUSED"):
            amqp(broker.pod, user, password)


def test_credentials_do_not_open_another_virtual_host(broker: Broker) -> None:
    notes = broker.context.all_relations[0]
    blog = broker.integrate(4, "blog", "blogs/ä")
    broker.do(blog, ("declare", "posts", "classic"), ("publish", "posts", "mine"))
    with pytest.raises(CommandError, match="530 NOT_ALLOWED"):
        broker.do(notes, ("get", "posts"), vhost="blogs/ä")
    with pytest.raises(CommandError, match="530 NOT_ALLOWED"):
        broker.do(blog, ("get", "classic"), vhost="/")
    assert broker.do(blog, ("get", "posts")) == ["mine"]


def test_hooks_without_news_write_nothing(broker: Broker) -> None:
    writes, secrets = [r.writes for r in broker.context.all_relations], dict(broker.context.secrets)
    broker.hook("update-status")
    assert ([r.writes for r in broker.context.all_relations], broker.context.secrets) == (writes, secrets)


def test_a_user_goes_with_its_relation_and_its_messages_stay(broker: Broker) -> None:
    blog = broker.context.all_relations[1]
    broker.do(blog, ("publish", "posts", "kept"))
    blog.breaking = True
    broker.hook("amqp-relation-broken", blog)
    broker.context.all_relations.remove(blog)
    assert not [label for label in broker.context.secrets if label.startswith("amqp.4")]
    with pytest.raises(CommandError, match="403 ACCESS_REFUSED"):
        broker.do(blog)
    again = broker.integrate(5, "blog", "blogs/ä")
    assert again.own["password"] != blog.own["password"]
    assert broker.do(again, ("get", "posts")) == ["kept"]


def test_a_user_of_another_is_refused(broker: Broker) -> None:
    thief = broker.integrate(6, "thief", "/", "notes")
    assert broker.context.status == ("blocked", "thief asks for the user notes, who is notes's")
    assert thief.own == {}
    broker.context.all_relations.remove(thief)
    broker.hook("amqp-relation-departed")
    assert broker.context.status == ("active", "")


def test_a_changed_password_serves_at_once_and_the_old_one_for_a_minute(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = broker.context.all_relations[0]
    before = notes.own["password"]
    assert broker.act("rotate-password", application="notes") == {"changed": "notes"}
    between = notes.own["password"]
    assert broker.act("rotate-password", application="notes") == {"changed": "notes"}
    after = notes.own["password"]
    assert len({before, between, after}) == 3
    for word in (before, between, after):
        assert broker.do(notes, ("get", "classic"), password=word) == [None]
    with pytest.raises(CommandError, match="403 ACCESS_REFUSED"):
        broker.do(notes, password="x")
    with pytest.raises(CommandError, match="530 NOT_ALLOWED"):
        broker.do(notes, password=before, vhost="blogs/ä")
    later = time.time() + 61
    monkeypatch.setattr("nuages.services.passwords.time.time", lambda: later)
    broker.hook("update-status")
    broker.do(notes)
    for word in (before, between):
        with pytest.raises(CommandError, match="403 ACCESS_REFUSED"):
            broker.do(notes, password=word)
    with pytest.raises(NuagesError, match="'web': related applications are blog, notes"):
        broker.act("rotate-password", application="web")


def test_the_administrator_and_accounts(broker: Broker) -> None:
    said = broker.act("get-operator-info")
    assert said["operator-user"] == "operator"
    for vhost in ("/", "blogs/ä"):
        assert amqp(broker.pod, "operator", said["operator-password"], vhost=vhost) == []
    assert broker.act("recreate-operator-user") == {"operator-user": "operator"}
    account = broker.act("get-service-account", username="cron", vhost="jobs")
    assert account["url"] == f"rabbit://cron:{account['password']}@10.77.0.2:5672/jobs"
    amqp(broker.pod, "cron", account["password"], ("declare", "q", "classic"), vhost="jobs")
    assert broker.act("get-service-account", username="cron", vhost="jobs") == account
    broker.hook("update-status")
    amqp(broker.pod, "cron", account["password"], vhost="jobs")
    cron = broker.integrate(30, "cron", vhost="jobs")
    assert broker.context.status == (
        "blocked",
        "cron asks for the user cron, for whom get-service-account made an account",
    )
    assert cron.own == {}
    amqp(broker.pod, "cron", account["password"], vhost="jobs")
    broker.context.all_relations.remove(cron)
    for name in ("operator", "guest", "notes"):
        with pytest.raises(NuagesError, match="asks for the user"):
            broker.act("get-service-account", username=name, vhost="/")


def test_disk_limit(broker: Broker) -> None:
    broker.context.config = {"disk-free-limit-bytes": "2TB"}
    broker.hook("config-changed")
    said = broker.pod.run(
        "/bin/sh",
        "/opt/nuages/call.sh",
        "/var/lib/rabbitmq/server",
        stdin="io:put_chars(integer_to_list(rabbit_disk_monitor:get_disk_free_limit())).\n",
    )
    assert said == "2000000000000"
    broker.context.config = {"disk-free-limit-bytes": "much"}
    broker.hook("config-changed")
    assert broker.context.status[0] == "blocked"
    assert "'much'" in broker.context.status[1]
    broker.context.config = dict(DEFAULTS)
    broker.hook("config-changed")
    assert broker.context.status == ("active", "")


def test_the_management_page_is_there_on_demand(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    listening = 'grep -il ":3D38 " /proc/net/tcp /proc/net/tcp6 || :'  # 15672
    assert broker.pod.run("sh", "-c", listening) == ""

    async def publish(key: str, port: int, *, preferred: int) -> int:
        assert (key, port, preferred) == ("management", 15672, 15672)
        return 15673

    monkeypatch.setattr(broker.context, "publish", publish)
    said = broker.act("show-management")
    assert (said["url"], said["user"]) == ("http://localhost:15673/", "operator")

    def get(path: str, user: str, password: str) -> tuple[int, str]:
        status, text = json.loads(
            broker.pod.python(GET, json.dumps({"path": path, "user": user, "password": password}))
        )
        return status, text

    assert "RabbitMQ Management" in get("/", "x", "x")[1]
    status, text = get("/api/queues", said["user"], said["password"])
    assert status == 200
    assert {queue["name"] for queue in json.loads(text)} >= {"classic", "quorum", "posts"}
    notes = broker.context.all_relations[0]
    assert get("/api/queues", "notes", notes.own["password"])[0] == 401
    assert broker.act("show-management") == said


def kill(pod: Pod) -> None:
    script = (
        'for p in /proc/[0-9]*; do case "$(cat $p/comm)" in beam.smp) kill -9 "${p#/proc/}"; echo killed;; esac; done'
    )
    assert pod.run("sh", "-c", script).strip() == "killed"


def test_a_killed_broker_loses_no_message_that_it_confirmed(broker: Broker) -> None:
    notes = broker.context.all_relations[0]
    numbers = [str(number) for number in range(50)]
    for kind in ("classic", "quorum"):
        broker.do(notes, *(("publish", kind, number) for number in numbers))
    kill(broker.pod)

    def back() -> bool:
        try:
            broker.do(notes)
        except CommandError:
            return False
        return True

    until(back, "it takes connections again", timeout=60)
    for kind in ("classic", "quorum"):
        assert broker.do(notes, *[("get", kind)] * 50) == numbers


def test_it_listens_where_it_should_and_prints_no_password(broker: Broker) -> None:
    table = broker.pod.run("sh", "-c", "cat /proc/net/tcp /proc/net/tcp6")
    rows = [line.split() for line in table.splitlines() if " 0A " in line]
    loopbacks = {"0100007F", "00000000000000000000000001000000"}
    open_to_the_model = {int(row[1].split(":")[1], 16) for row in rows if row[1].split(":")[0] not in loopbacks}
    assert open_to_the_model == {5672, 15672}
    words = [content["password"] for _, content in broker.context.secrets.values() if "password" in content]
    words.append(broker.pod.run("cat", "/var/lib/rabbitmq/server/.erlang.cookie"))
    output = broker.pod.output()
    assert len(words) >= 4
    assert not [word for word in words if word in output]
    assert "user 'notes'" in output  # it prints who was refused
    arguments = broker.pod.run("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert not [word for word in words if word in arguments]


def test_messages_outlive_the_pod_even_when_all_is_killed(broker: Broker, directory: Path) -> None:
    notes = broker.context.all_relations[0]
    broker.do(notes, ("publish", "classic", "kept over all"), ("publish", "quorum", "kept over all"))
    broker.pod.kill()
    with running(SERVICE, directory) as pod:
        broker.pod, broker.context.client = pod, pod.client
        broker.hook("upgrade-charm")
        broker.hook("rabbitmq-pebble-ready")
        assert broker.context.status == ("active", "")
        assert broker.do(notes, ("get", "classic"), ("get", "quorum")) == ["kept over all"] * 2
        broker.hook("stop")
        assert not [info for info in pod.client.get_services() if info.is_running()]
