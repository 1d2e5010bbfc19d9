from celery import shared_task

from .models import Tick


@shared_task
def tick():
    Tick.objects.create(name="from beat")
