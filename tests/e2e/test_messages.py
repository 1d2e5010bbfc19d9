"""A Django application sends and takes messages by RabbitMQ; a changed password or a kill loses none."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.projects import endpoint, notes_with
from tests.e2e.traffic import traffic
from tests.e2e.world import World, eventually, kill, processes

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
BROKER = "rabbitmq-k8s/0"


@pytest.fixture(scope="module")
def sending(home: Path) -> Iterator[World]:
    endpoints = [endpoint("rabbitmq", "rabbitmq")]
    with notes_with(home, urls=URLS, packages=["pika==1.4.4"], endpoints=endpoints) as world:
        world.up()
        yield world


def test_a_message_is_sent_and_taken(sending: World):
    browser = sending.browser()
    assert browser.get("/send/first/").text == "sent"
    assert browser.get("/take/").text == "first"
    assert browser.get("/take/").text == "nothing"


def test_the_variables_are_those_of_the_contract(sending: World):
    values = sending.variables()
    assert values["RABBITMQ_USERNAME"] == "notes"
    assert values["RABBITMQ_HOSTNAME"].startswith("rabbitmq-k8s-endpoints.")
    assert (values["RABBITMQ_VHOST"], values["RABBITMQ_PATH"], values["RABBITMQ_PORT"]) == ("/", "/%2F", "5672")
    assert values["RABBITMQ_CONNECT_STRINGS"] == values["RABBITMQ_CONNECT_STRING"]


def test_a_changed_password_fails_no_request(sending: World):
    def rotate() -> None:
        sending.rotate(BROKER, "RABBITMQ_PASSWORD")

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
    kill(sending, BROKER, "rabbitmq", "beam.smp")
    eventually("it answers", lambda: sending.browser().get("/take/").text == "kept", seconds=90)
    assert processes(sending, "rabbitmq", "beam.smp") != [before]


def test_the_management_page_has_a_login_of_its_own(sending: World):
    results = sending.action(BROKER, "show-management")
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
    sending.becomes("notes/0", "blocked")
    sending.up()
    eventually("it sends", lambda: sending.browser().get("/send/again/").text == "sent", seconds=60)
    assert sending.browser().get("/take/").text == "again"
