"""A Django application sends and takes messages by RabbitMQ; a changed password or a kill loses none."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import world_of
from tests.e2e.traffic import traffic
from tests.e2e.world import EXAMPLE, World, eventually, processes

pytestmark = pytest.mark.slow

URLS = """
import os

import pika
from django.http import HttpResponse


def channel():
    connection = pika.BlockingConnection(pika.URLParameters(os.environ["RABBITMQ_CONNECT_STRING"]))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare("notes", durable=True)
    return connection, channel


def send(request, text):
    connection, to = channel()
    to.basic_publish("", "notes", text.encode(), pika.BasicProperties(delivery_mode=2))
    connection.close()
    return HttpResponse("sent")


def take(request):
    connection, source = channel()
    _, _, body = source.basic_get("notes", auto_ack=True)
    connection.close()
    return HttpResponse(body or b"nothing")


urlpatterns += [path("send/<text>/", send), path("take/", take)]
"""
ENDPOINT = """
  rabbitmq:
    interface: rabbitmq
    optional: false
    limit: 1
"""
BROKER = "rabbitmq-k8s/0"
KILL = 'for p in /proc/[0-9]*; do case "$(cat $p/comm)" in beam.smp) kill -9 "${p#/proc/}";; esac; done'


@pytest.fixture(scope="module")
def sending(home: Path) -> Iterator[World]:
    with world_of(EXAMPLE, home) as world:
        for path, text in (
            (world.project / "requirements.txt", "\npika==1.4.4\n"),
            (world.project / "notes" / "notes" / "urls.py", URLS),
            (world.project / "charm" / "charmcraft.yaml", ENDPOINT.lstrip("\n")),
        ):
            with path.open("a") as file:
                file.write(text)
        world.up()
        yield world


def variables(world: World) -> dict[str, str]:
    found = json.loads(world.nuages("env", "notes", "--reveal", "--format", "json").stdout)
    return {name: row["value"] for name, row in found.items()}


def test_a_message_is_sent_and_taken(sending: World):
    browser = sending.browser()
    assert browser.get("/send/first/").text == "sent"
    assert browser.get("/take/").text == "first"
    assert browser.get("/take/").text == "nothing"


def test_the_variables_are_those_of_the_contract(sending: World):
    values = variables(sending)
    assert values["RABBITMQ_USERNAME"] == "notes"
    assert values["RABBITMQ_HOSTNAME"].startswith("rabbitmq-k8s-endpoints.")
    assert (values["RABBITMQ_VHOST"], values["RABBITMQ_PATH"], values["RABBITMQ_PORT"]) == ("/", "/%2F", "5672")
    assert values["RABBITMQ_CONNECT_STRINGS"] == values["RABBITMQ_CONNECT_STRING"]


def test_a_changed_password_fails_no_request(sending: World):
    before = variables(sending)["RABBITMQ_PASSWORD"]

    def rotate() -> None:
        sending.nuages("run", BROKER, "rotate-password")
        eventually("the new one is there", lambda: variables(sending)["RABBITMQ_PASSWORD"] != before, seconds=60)

    seen = traffic(sending.url, rotate, least=400, slow_path="/send/under-traffic/")
    assert seen.failed == []
    assert seen.slow
    taken = 0
    while sending.browser().get("/take/").text == "under-traffic":
        taken += 1
    assert taken == seen.slow


def test_a_killed_broker_comes_back_with_its_messages(sending: World):
    assert sending.browser().get("/send/kept/").text == "sent"
    (before,) = processes(sending, "rabbitmq", "beam.smp")
    sending.nuages("ssh", "--container", "rabbitmq", BROKER, "--", "sh", "-c", KILL)
    eventually("it answers", lambda: sending.browser().get("/take/").text == "kept", seconds=90)
    assert processes(sending, "rabbitmq", "beam.smp") != [before]


def test_the_management_page_has_a_login_of_its_own(sending: World):
    said = sending.nuages("run", BROKER, "show-management", "--format", "json").stdout
    results = next(iter(json.loads(said).values()))["results"]
    login = base64.b64encode(f"{results['user']}:{results['password']}".encode()).decode()
    request = urllib.request.Request(f"{results['url']}api/queues", headers={"Authorization": f"Basic {login}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert "notes" in {queue["name"] for queue in json.load(answer)}


def test_messages_outlive_down(sending: World):
    assert sending.browser().get("/send/over-down/").text == "sent"
    sending.nuages("down")
    sending.up()
    assert sending.browser().get("/take/").text == "over-down"


def test_a_removed_relation_blocks_until_it_is_back(sending: World):
    sending.nuages("remove-relation", "notes", "rabbitmq-k8s")
    eventually("it is blocked", lambda: sending.workload("notes/0")[0] == "blocked", seconds=60)
    sending.up()
    eventually("it sends", lambda: sending.browser().get("/send/again/").text == "sent", seconds=60)
    assert sending.browser().get("/take/").text == "again"
