"""What is sent: work for the worker, the scheduler's ticks, mails."""

import os
import secrets
import time

from django.core.mail import send_mail
from django.utils import timezone

from trips.models import Done
from trips.tasks import TICK, note

PATIENCE = 10.0
"""Seconds that the worker has, and that may pass without a tick (the scheduler's are 5 apart) beyond two."""


def worker() -> str:
    """Send a word by RabbitMQ and wait until the worker has written it down."""
    word = secrets.token_hex(8)
    note.delay(word)
    start = time.monotonic()
    while not Done.objects.filter(word=word).exists():
        if time.monotonic() - start > PATIENCE:
            raise TimeoutError(f"the worker has not done {word} in {PATIENCE:.0f} s")
        time.sleep(0.05)
    host = os.environ.get("RABBITMQ_VHOST", "")
    return f"the worker did {word}; {Done.objects.count()} words in all; by the virtual host {host}"


def scheduler() -> str:
    """Tell when the scheduler ticked last."""
    start = time.monotonic()
    while True:
        last = Done.objects.filter(word=TICK).first()
        age = (timezone.now() - last.at).total_seconds() if last else None
        if age is not None and age < PATIENCE:
            return f"ticked {age:.1f} s ago"
        if time.monotonic() - start > PATIENCE:
            raise TimeoutError("it does not tick" if age is None else f"it ticked {age:.0f} s ago")
        time.sleep(0.1)


def mail() -> str:
    """Send a mail."""
    subject = f"Round trip {secrets.token_hex(4)}"
    sent = send_mail(subject, "It has arrived.", "full@example.com", ["you@example.com"])
    return f"sent {sent}: {subject}"
