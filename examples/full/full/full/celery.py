"""Celery, by RabbitMQ: its broker is CELERY_BROKER_URL of the settings."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "full.settings")

app = Celery("full")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
