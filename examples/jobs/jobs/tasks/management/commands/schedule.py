import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, transaction
from django.utils import timezone

from tasks.models import Job, Shift, Turn
from tasks.running import ending, unit

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Add a job now and then, until SIGTERM. There may be only one of these, which it proves by a locked row."

    def handle(self, **options):
        end = ending()
        shift = Shift.objects.create(unit=unit(), alone=self.is_alone())
        logger.info("scheduler on %s is ready", unit())
        # This thread's connection holds the row for as long as the process lives; the other thread's does the writing.
        with transaction.atomic(), ThreadPoolExecutor(1) as writer:
            Turn.objects.select_for_update().get(pk=1)
            while not end.is_set():
                writer.submit(self.beat, shift).result()
                end.wait(0.2)
        logger.info("scheduler has ended")

    def is_alone(self):
        try:
            with transaction.atomic():
                Turn.objects.select_for_update(nowait=True).get(pk=1)
        except DatabaseError:
            return False
        return True

    def beat(self, shift):
        """Give a sign of life, and add a job when it is time for one."""
        shift.seen = timezone.now()
        shift.save()
        last = Job.objects.filter(text__startswith="scheduled").order_by("pk").last()
        if last is None or last.added < shift.seen - timedelta(seconds=settings.EVERY):
            Job.objects.create(text=f"scheduled by {shift.unit}")
