"""What the Celery worker does."""

from celery import shared_task

from trips.models import Done

TICK = "tick"


@shared_task
def note(word: str) -> None:
    """Write the word down."""
    Done.objects.update_or_create(word=word)


@shared_task
def tick() -> None:
    """Write down that the scheduler is alive."""
    Done.objects.update_or_create(word=TICK)
